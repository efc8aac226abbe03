import { describe, expect, test } from 'vitest';
import { differingRows } from '../support/compare.ts';
import { copied, finished } from '../support/copying.ts';
import { catchUp, copyOnce } from '../support/follow.ts';

const METHODS = ['delete', 'truncate', 'swap', 'changed-only'] as const;

describe.each(METHODS)('%s', (method) => {
  test('replaces all rows, with generated and identity columns, every time', async () => {
    const schema = `create table t (id bigint generated always as identity primary key, n numeric(10, 2), v text unique,
      twice numeric generated always as (n * 2) stored, at timestamptz default now());`;
    const { source, target, project } = await copied(schema, { method });
    await source.script("insert into t (n, v) select g / 7.0, 'v' || g from generate_series(1, 3000) g");
    await target.script("insert into t (n, v) select g, 'own ' || g from generate_series(1, 50) g");
    expect(finished(await catchUp(project))).toEqual([3000]);
    expect(await differingRows(source, target, 'public.t')).toEqual([]);
    expect(finished(await catchUp(project))).toEqual([]);
    await source.script("update t set v = 'w' || id where id % 3 = 0; delete from t where id % 5 = 0; insert into t (n, v) values (null, 'new'), (1, null)");
    await source.script("update t set v = null where v = 'v1'; update t set v = 'v1' where v = 'v2'; update t set v = 'v2' where id = 1");
    await target.script("delete from t where id < 100; insert into t (n, v) values (1, 'w9')");
    expect(finished(await copyOnce(project))).toHaveLength(1);
    expect(await differingRows(source, target, 'public.t')).toEqual([]);
    expect(await target.query("select id from t where v = 'v2'")).toEqual([{ id: '1' }]);
  });

  test('a group with foreign keys that go round comes as one, an empty source leaves nothing', async () => {
    if (method === 'swap') return;
    const { source, target, project } = await copied(
      `create table a (id integer primary key, b integer, up integer references a);
       create table b (id integer primary key, a integer not null references a);
       alter table a add constraint a_b foreign key (b) references b;`,
      { method },
    );
    await source.script(
      'insert into a select g, null, nullif(g - 1, 0) from generate_series(1, 500) g; insert into b select g, g from generate_series(1, 500) g; update a set b = id',
    );
    await catchUp(project);
    expect(await differingRows(source, target, 'public.a', 'public.b')).toEqual([]);
    await source.script('update a set b = null; delete from b; delete from a');
    await copyOnce(project);
    expect(await target.query('select (select count(*) from a)::int as a, (select count(*) from b)::int as b')).toEqual([{ a: 0, b: 0 }]);
  });

  test('columns picked, renamed and computed, rows filtered, from a view into a table of another name', async () => {
    const { target, source, project } = await copied(
      `create table t (id integer primary key, v text, secret text); create view seen as select id, v, secret, id % 2 = 0 as even from t;`,
      {
        method,
        targetSchema: 'create table kept (id integer primary key, word text, loud text, extra integer default 7);',
        tables: [
          { table: 'public.seen', rename: 'public.kept', where: 'even', columns: { pick: ['id', 'v'], rename: { v: 'word' }, compute: { loud: 'upper(v)' } } },
        ],
      },
    );
    await source.script("insert into t select g, 'w' || g, 's' from generate_series(1, 10) g");
    await catchUp(project);
    const kept = 'select id, word, loud, extra from kept order by id';
    expect(await target.query(kept)).toEqual([2, 4, 6, 8, 10].map((id) => ({ id, word: `w${id}`, loud: `W${id}`, extra: 7 })));
    await source.script('delete from t where id > 4; update t set v = null where id = 2');
    await copyOnce(project);
    expect(await target.query(kept)).toEqual([
      { id: 2, word: null, loud: null, extra: 7 },
      { id: 4, word: 'w4', loud: 'W4', extra: 7 },
    ]);
  });
});

test.each(['delete', 'truncate', 'swap'] as const)('%s takes a table without a key, with duplicates, and a partitioned one where it can', async (method) => {
  const kinds = method === 'swap' ? '' : ' partition by list (k); create table t1 partition of t for values in (1); create table t2 partition of t default';
  const { source, target, project } = await copied(`create table t (k integer, v text)${kinds};`, { method, tables: ['public.t'] });
  await source.script("insert into t select g % 3, 'x' from generate_series(1, 30) g");
  await catchUp(project);
  await copyOnce(project);
  expect(await target.query('select k, count(*)::int as n from t group by k order by k')).toEqual([0, 1, 2].map((k) => ({ k, n: 10 })));
  expect(await differingRows(source, target, 'public.t')).toEqual([]);
});

const NEARLY: readonly (readonly [string, string, string])[] = [
  ['n', '1.0', '1.00'],
  ['n', "'NaN'", 'null'],
  ['f', '0', "'-0'"],
  ['f', "'NaN'", "'Infinity'"],
  ['j', "'[[1], 2]'", "'[[1, 2]]'"],
  ['j', '\'{"a": 1}\'', '\'{"a": 1.0}\''],
  ['j', "'-1'", "'1'"],
  ['c', "'Key'", "'KEY'"],
  ['v', "''", 'null'],
  ['p', "'(0,0)'", "'(0,-0)'"],
];

test('changed-only brings what differs though the database finds it equal, and what was exchanged between columns or neighbours', async () => {
  const schema = `create collation ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
    create table t (id bigint primary key, n numeric, f float8, j jsonb, c text collate ci, v text, p point);`;
  const { source, target, project } = await copied(schema, { method: 'changed-only' });
  const rows = NEARLY.map(([column, value], id) => `insert into t (id, ${column}) values (${id}, ${value})`);
  await source.script(`${rows.join('; ')}; insert into t (id, c, v) values (100, 'a', 'b'), (101, 'c', 'd'), (102, 'e', 'f')`);
  await catchUp(project);
  await target.script(NEARLY.map(([column, , value], id) => `update t set ${column} = ${value} where id = ${id}`).join('; '));
  await target.script(
    `update t set c = 'b', v = 'a' where id = 100; update t set (c, v) = (select c, v from t as o where o.id = 203 - t.id) where id in (101, 102)`,
  );
  expect(finished(await copyOnce(project))).toEqual([NEARLY.length + 3]);
  expect(await differingRows(source, target, 'public.t')).toEqual([]);
});

test('changed-only leaves rows alone that are the same', async () => {
  const { source, target, project } = await copied('create table t (id integer primary key, v text, p point);', { method: 'changed-only' });
  await source.script("insert into t select g, 'v' || g, point(g, 1) from generate_series(1, 20000) g");
  await catchUp(project);
  const [before] = await target.query('select pg_current_xact_id()::text as xid');
  await source.script("update t set v = 'w' where id = 77; delete from t where id = 78; insert into t values (0, 'z', null)");
  expect(finished(await copyOnce(project))).toEqual([2]);
  expect(await target.query('select id from t where xmin::text::bigint >= $1 order by id', [before?.['xid']])).toEqual([{ id: 0 }, { id: 77 }]);
  expect(await differingRows(source, target, 'public.t')).toEqual([]);
});

test('what a copy brings is sent on by the sync that captures the target table', async () => {
  const schema = 'create table t (id integer primary key, v text); create table u (id integer primary key, v text);';
  const { source, target, project } = await copied(schema, {
    tables: ['public.t'],
    others: { onward: { mode: 'one-way', source: 'target', targets: ['source'], tables: [{ table: 'public.t', rename: 'public.u' }] } },
  });
  await source.script("insert into t select g, 'x' from generate_series(1, 300) g");
  await catchUp(project);
  await catchUp(project);
  expect(await source.query('select count(*)::int as n from u')).toEqual([{ n: 300 }]);
  await source.script('delete from t where id > 3');
  await copyOnce(project);
  await catchUp(project);
  expect(await target.query('select count(*)::int as n from t')).toEqual([{ n: 3 }]);
  expect(await source.query('select count(*)::int as n from u')).toEqual([{ n: 3 }]);
});
