import { describe, expect, test } from 'vitest';
import type { ConfigPart, ConfigPath } from '../../src/compiler/1-load/fault.ts';
import { spansOf } from '../../src/compiler/1-load/span-of.ts';

const TEXT = `import { defineReplication, env } from 'sarrio';

const east = 'east';
const names = ['public.a', 'public.b'] as const;
const common = { mode: 'one-way', source: east } as const;
function made() { return {}; }

const config = defineReplication({
  databases: { east: env('EAST_URL'), 'we-st': env('WEST_URL') },
  syncs: {
    shop: {
      ...common,
      targets: ['we-st'],
      tables: [...names, { table: 'public.c', columns: { rename: { "old": 'new' } } }, (('public.d'))],
      exclude: made() as string[],
    },
    names,
  },
});

export default config;
`;

describe('the place of a config value', () => {
  const spanOf = spansOf({ text: TEXT, file: 'replication.config.ts' });
  const at = (path: ConfigPath, part?: ConfigPart): string => {
    const { line, column } = spanOf(path, part);
    return TEXT.split('\n')[line - 1]?.slice(column - 1, column + 9) ?? '';
  };

  test.each<[string, ConfigPath, string]>([
    ['a literal', ['syncs', 'shop', 'targets', 0], "'we-st'],"],
    ['a key in quotes', ['databases', 'we-st'], "env('WEST_"],
    ['behind a spread constant', ['syncs', 'shop', 'mode'], "'one-way',"],
    ['a name of a constant', ['syncs', 'shop', 'source'], 'east } as '],
    ['an item of a spread list', ['syncs', 'shop', 'tables', 1], "'public.b'"],
    ['an item after a spread list', ['syncs', 'shop', 'tables', 2, 'table'], "'public.c'"],
    ['an item in brackets', ['syncs', 'shop', 'tables', 3], "(('public."],
    ['deep inside', ['syncs', 'shop', 'tables', 2, 'columns', 'rename', 'old'], "'new' } } "],
    ['an object, by its name', ['syncs', 'shop'], 'shop: {'],
    ['a shorthand property', ['syncs', 'names', 0], "'public.a'"],
    ['what a function made: the nearest that is known', ['syncs', 'shop', 'exclude', 3], 'exclude: m'],
    ['what is not there: what should hold it', ['syncs', 'shop', 'existingRows'], 'shop: {'],
  ])('%s', (_, path, text) => {
    expect(at(path)).toBe(text);
  });

  test('a key that is wrong itself', () => {
    expect(at(['syncs', 'shop', 'tables', 2, 'columns', 'rename', 'old'], 'key')).toBe('"old": \'ne');
    expect(at(['databases', 'east'], 'key')).toBe('east: env(');
  });

  test('a file without a config literal gives its first line', () => {
    expect(spansOf({ text: 'export const x = 1;\n', file: 'f.ts' })(['syncs'])).toEqual({ file: 'f.ts', line: 1, column: 1 });
  });
});
