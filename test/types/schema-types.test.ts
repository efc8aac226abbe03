import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';
import { emitSchemaTypes } from '../../src/compiler/4-emit/emit-schema-types.ts';
import { root } from '../support/build.ts';
import { SHOP } from './lock.ts';
import { openEditor } from './editor.ts';

const FIXTURES = join(root, 'test/types/fixtures');
const schema = emitSchemaTypes(SHOP) ?? '';
const editor = openEditor({ 'schema.d.ts': schema });
const faultsOf = (file: string): readonly string[] => editor.faults(join(FIXTURES, file));

describe('after a pull', () => {
  test('what is right is not red', () => {
    expect(faultsOf('good.ts')).toEqual([]);
    expect(editor.faults(editor.path('schema.d.ts'))).toEqual([]);
  });

  test('each wrong name, value and answer is red where it stands', () => {
    const lines = readFileSync(join(FIXTURES, 'bad.ts'), 'utf8').split('\n');
    const expected = lines.flatMap((line, index) => {
      const text = /[;,] \/\/ (.*)$/.exec(line)?.[1];
      return text === undefined ? [] : [{ line: index + 1, text }];
    });
    const found = faultsOf('bad.ts').map((fault) => ({ line: Number(/^(\d+):/.exec(fault)?.[1]), fault }));
    expect(expected.length).toBeGreaterThan(20);
    expect([...new Set(found.map(({ line }) => line))]).toEqual(expected.map(({ line }) => line));
    const unsaid = expected.filter(({ line, text }) => !found.some((each) => each.line === line && each.fault.includes(text)));
    expect(unsaid).toEqual([]);
  });

  test('the editor completes tables, columns of that table, databases and columns of rows', () => {
    const open = (rest: string): string => `import { defineReplication, env } from 'sarrio';
      export default defineReplication({ databases: { east: env('E'), west: env('W') }, syncs: { s: { ${rest} } } });`;
    const oneWay = "mode: 'one-way', source: 'east', targets: ['west']";
    const masters = "mode: 'multi-master', members: ['east', 'west'], onConflict: 'skip'";
    const tables = ['public."Odd Name"', 'public."dot.ted"', 'public.Odd Name', 'public.customers', 'public.only_east', 'public.orders'];
    expect(editor.completions(open(`${oneWay}, tables: ['|']`))).toEqual(tables);
    expect(editor.completions(open(`${oneWay}, tables: [{ table: '|' }]`))).toEqual(tables);
    expect(editor.completions(open(`${oneWay}, tables: [{ table: 'public.customers', columns: { omit: ['|'] } }]`))).toEqual(['email', 'id', 'secret']);
    expect(editor.completions(open(`${masters}, tables: ['|']`))).toEqual(tables.filter((name) => name !== 'public.only_east'));
    expect(editor.completions(open(`${masters}, tables: [{ table: 'public.customers', onConflict: ({ latest }) => latest.row?.| }]`))).toEqual(['email', 'id']);
    expect(editor.completions(open("mode: 'one-way', source: '|', targets: ['west'], tables: []"))).toEqual(['east', 'west']);
    expect(editor.completions(open("mode: 'one-way', source: 'east', targets: ['|'], tables: []"))).toEqual(['east', 'west']);
  });
});

test('before the first pull nothing is red but names of databases that the config does not have', () => {
  const before = openEditor({});
  const head = "import { defineReplication, env, keep, merge } from 'sarrio';\n";
  const right = before.faultsOfText(`${head}export default defineReplication({
    databases: { east: env('E'), west: env('W') },
    syncs: {
      copy: {
        mode: 'one-way', source: 'east', targets: ['west'],
        tables: ['any.table', { table: 'any.table', columns: { omit: ['any'], rename: { any: 'other' } }, key: ['any'] }, { table: 'any.*', columns: { omit: ['any'] } }],
        exclude: ['any.other'],
      },
      masters: {
        mode: 'multi-master', members: ['east', 'west'], onConflict: ['east'],
        tables: [
          'any.table',
          { table: 'any.table', onConflict: ({ latest }) => merge({ any: latest.row?.['any'] ?? 5n }), onException: () => keep('east'), mask: ['any'] },
          { table: 'any.counted', onConflict: { counters: ['any'], otherwise: 'skip' } },
        ],
      },
    },
  });`);
  expect(right).toEqual([]);
  const wrong = before.faultsOfText(`${head}export default defineReplication({
    databases: { east: env('E') }, syncs: { s: { mode: 'one-way', source: 'east', targets: ['wset'], tables: ['public.x'] } } });`);
  expect(wrong).toEqual([expect.stringContaining(`'"wset"' is not assignable to type '"east"'`)]);
});

test('names, labels and types that hold quotes, line ends and ends of comments stay what they are', () => {
  const source = ts.createSourceFile('schema.d.ts', schema, ts.ScriptTarget.ES2023);
  expect(schema).toContain(`/** public.state not null */ readonly state: "open" | "it's \\u2028 closed";`);
  expect(schema).toContain('/** public."evil *\\/ type" */ readonly of: string | null;');
  expect(source.statements).toHaveLength(2);
});
