import { describe, expect, test } from 'vitest';
import { quoteIdent } from '../../src/sql/quote.ts';
import { capturing } from '../support/captured.ts';
import { freshDatabase } from '../support/databases.ts';
import { installation } from '../support/installation.ts';

describe('names', () => {
  test.each([
    ['Capitals and spaces', 'Die Größe "x"', "it's"],
    ['a dot', 'a.b', 'c.d'],
    ['a backslash and a dollar', 'a\\b$sarrio$', '\\'],
    ['a keyword', 'table', 'select'],
    ['63 bytes', 'n'.repeat(63), 'k'.repeat(63)],
    ['63 bytes of umlauts', `${'ü'.repeat(31)}x`, `${'ß'.repeat(31)}y`],
    ['a template placeholder', `\${t} $1 %s`, `\${k}`],
    ['an emoji', '😀 table', '🔑'],
  ])('%s', async (_, table, column) => {
    const [t, k] = [quoteIdent(table), quoteIdent(column)];
    const { source, project } = await capturing(`create table ${t} (${k} integer primary key, v text);`, { table: `public."${table.replaceAll('"', '""')}"` });
    const { plan } = await project.generated();
    const delta = plan.databases['source']?.captures[0]?.delta ?? '';
    await source.script(`insert into ${t} values (1); update ${t} set ${k} = 2; truncate ${t}`);
    const rows = await source.query(`select change_op::text as op, ${k} as key from ${delta} order by 1, 2`);
    expect(rows).toEqual([
      { op: 'D', key: 1 },
      { op: 'I', key: 1 },
      { op: 'T', key: null },
      { op: 'U', key: 2 },
    ]);
  });

  test.each([
    'segment',
    'tg_op',
    'changed',
    'changed_rows',
    'gone',
    'before',
    'captured',
    'bulk',
    'b',
    'found',
    'old',
    'new',
    'current',
    'sync',
    'flag',
    'd',
    'p',
    't',
    's',
    'r',
  ])('a key column named %s', async (name) => {
    const k = quoteIdent(name);
    const { captured } = await capturing(`create table t (${k} integer primary key, v text);`);
    expect(await captured(`insert into t values (1); update t set ${k} = 2; delete from t`)).toEqual(['D 1', 'D 2', 'I 1', 'U 2']);
  });

  test('a key column named like one of ours is refused with its name', async () => {
    await expect(capturing('create table t (change_at timestamptz primary key);')).rejects.toThrow(/change_at/);
  });

  test('tables whose plain names would meet have objects of their own', async () => {
    const [source, target] = [await freshDatabase('source'), await freshDatabase('target')];
    const schema = `create schema a_b; create schema a; create table a_b.c (id integer primary key); create table a.b_c (id integer primary key);
      create table public.${'x'.repeat(62)}1 (id integer primary key); create table public.${'x'.repeat(62)}2 (id integer primary key);`;
    await source.script(schema);
    await target.script(schema);
    const tables = [`public.${'x'.repeat(62)}1`, `public.${'x'.repeat(62)}2`];
    const project = await installation({ databases: { source, target }, syncs: { s: { mode: 'one-way', source: 'source', targets: ['target'], tables } } });
    expect((await project.apply()).diagnostics).toEqual([]);
    await source.script(`insert into ${tables[0]} values (1); insert into ${tables[1]} values (2)`);
    const { plan } = await project.generated();
    const deltas = plan.databases['source']?.captures.map(({ delta }) => delta) ?? [];
    expect(new Set(deltas).size).toBe(2);
    const rows = await Promise.all(deltas.map((delta) => source.query(`select id from ${delta}`)));
    expect(rows).toEqual([[{ id: 1 }], [{ id: 2 }]]);
  });
});
