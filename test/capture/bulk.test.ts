import { describe, expect, test } from 'vitest';
import { sarrio } from '../support/cli.ts';
import { capturing } from '../support/captured.ts';
import { differingRows } from '../support/compare.ts';
import { freshDatabase } from '../support/databases.ts';
import { catchUp, onAll } from '../support/follow.ts';
import { installation } from '../support/installation.ts';
import { purging } from '../support/purging.ts';

const LIMIT = 10_000;
const T = 'create table t (id bigint primary key, v integer);';
const PARTITIONED = `create table t (id bigint primary key, v integer) partition by range (id);
  create table t1 partition of t for values from (0) to (20000); create table t2 partition of t for values from (20000) to (1000000);`;

const keys = (op: string, from: number, to: number): readonly string[] => Array.from({ length: to - from + 1 }, (_, index) => `${op} ${from + index}`).sort();

const rows = (from: number, to: number): string => `insert into t select g, 0 from generate_series(${from}, ${to}) g`;

/** Keys that one statement left, the entries that tell of a large one (`B`) taken away. */
const keysOf = (entries: readonly string[]): readonly string[] => entries.filter((entry) => entry !== 'B');

describe.each([
  ['a table', T],
  ['a partitioned table', PARTITIONED],
])('large statements on %s', (_, schema) => {
  test.each([LIMIT - 1, LIMIT, LIMIT + 1, 25_000])('%i rows: every key once', async (count) => {
    const { captured } = await capturing(schema);
    const inserted = await captured(rows(1, count));
    expect(keysOf(inserted)).toEqual(keys('I', 1, count));
    expect(inserted.filter((entry) => entry === 'B')).toHaveLength(count > LIMIT ? 1 : 0);
    expect(keysOf(await captured('update t set v = 1'))).toEqual(keys('U', 1, count));
    expect(keysOf(await captured('delete from t'))).toEqual(keys('D', 1, count));
  });

  test('keys that all move: old and new ones', async () => {
    const { captured } = await capturing(schema);
    await captured(rows(1, 15_000));
    expect(keysOf(await captured('update t set id = id + 100000'))).toEqual([...keys('D', 1, 15_000), ...keys('U', 100_001, 115_000)].sort());
  });
});

test('of large statements only the start and one more entry are in the index', async () => {
  const { source } = await capturing(T);
  await source.query(rows(1, 25_000));
  const [index] = await source.query("select reltuples::int as n from pg_class where relname = 'xid1_public_t'");
  await source.query('reindex index sarrio.xid1_public_t');
  const [after] = await source.query("select reltuples::int as n from pg_class where relname = 'xid1_public_t'");
  expect(index).toBeDefined();
  expect(after).toEqual({ n: LIMIT + 1 });
});

describe('rounds', () => {
  async function stage() {
    const [source, one, two] = [await freshDatabase('source'), await freshDatabase('one'), await freshDatabase('two')];
    await onAll([source, one, two], T);
    const project = await installation({
      databases: { source, one, two },
      syncs: {
        first: { mode: 'one-way', source: 'source', targets: ['one'], tables: ['public.t'] },
        second: { mode: 'one-way', source: 'source', targets: ['two'], tables: ['public.t'] },
      },
    });
    await project.apply();
    return { source, one, two, project };
  }

  test('carry large statements over, alone, mixed, rolled back and late in an old transaction', async () => {
    const { source, one, two, project } = await stage();
    const late = await source.connect();
    await source.query(rows(1, 30_000));
    await late.query('begin');
    await late.query('update t set v = 9 where id <= 12000');
    await catchUp(project);
    await late.query(rows(100_001, 112_000));
    await source.query(
      `begin; update t set v = 2 where id > 15000; savepoint a; delete from t where id > 12000; rollback to a; ${rows(40_001, 40_010)}; commit`,
    );
    await source.query(`begin; ${rows(200_001, 215_000)}; rollback`);
    await catchUp(project);
    await late.query('commit');
    await late.end();
    await catchUp(project);
    for (const target of [one, two]) expect(await differingRows(source, target, 'public.t')).toEqual([]);
    await source.query('delete from t where id % 2 = 0');
    await catchUp(project);
    for (const target of [one, two]) expect(await differingRows(source, target, 'public.t')).toEqual([]);
  });

  test('count every row as pending, and purge nothing of it too early', async () => {
    const { source, one, two, project } = await stage();
    await catchUp(project);
    await source.query(rows(1, 25_000));
    const status = await sarrio(['status', '--json', '--generated', project.dir], { env: project.env });
    expect(status.stdout).toMatch(/"pending": ?"?25000/);
    await sarrio(['run', '--sync', 'first', '--until-caught-up', '--generated', project.dir], { env: project.env });
    const purger = await purging(source, (await project.generated()).plan);
    for (let turn = 0; turn < 4; turn += 1) await purger.once();
    await catchUp(project);
    expect(await differingRows(source, one, 'public.t')).toEqual([]);
    expect(await differingRows(source, two, 'public.t')).toEqual([]);
    for (let turn = 0; turn < 4; turn += 1) await purger.once();
    expect(await source.query('select count(*)::int as n from sarrio.delta_public_t')).toEqual([{ n: 0 }]);
    await purger.close();
  });
});
