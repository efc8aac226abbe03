import { expect, onTestFinished, test } from 'vitest';
import { writeStage } from '../../src/runner/8-round/apply-staged.ts';
import { joinsFor } from '../../src/runner/8-round/joins.sql.ts';
import { setPosition } from '../../src/runner/8-round/source.sql.ts';
import { streamTables } from '../../src/runner/8-round/work.ts';
import { parsePosition } from '../../src/plan/position.ts';
import { noFailpoint } from '../../src/runner/failpoint.ts';
import { connect } from '../../src/runner/postgres/session.ts';
import { freshDatabase } from '../support/databases.ts';
import { oneWayOf } from '../support/installation.ts';
import { replicated } from '../support/runner.ts';

test('few changes beside their table are looked up by key, whatever kind of table it is', async () => {
  const source = await freshDatabase();
  await source.script(`
    create table plain (id integer primary key);
    create table fresh (id integer primary key);
    create table parted (id integer primary key) partition by range (id);
    create table part1 partition of parted for values from (0) to (5001);
    create table part2 partition of parted for values from (5001) to (20000);
    insert into plain select generate_series(1, 10000);
    insert into parted select generate_series(1, 10000);
    analyze plain, parted;
    alter table fresh set (autovacuum_enabled = false);
    insert into fresh select generate_series(1, 10000);
  `);
  const session = await connect({ database: 'source', url: source.url, variable: 'SOURCE_URL', role: 'source' });
  const chosen = async (name: string, entries: number | 'all'): Promise<string> => {
    const [answer] = await session.batch([joinsFor({ schema: 'public', name }, entries)]);
    return answer?.lists[0]?.slice(0, 3).join(' ') ?? '';
  };
  for (const table of ['plain', 'parted', 'fresh']) {
    expect([table, await chosen(table, 40), await chosen(table, 4_000), await chosen(table, 'all')]).toEqual([table, 'off off off', 'on on on', 'on on on']);
  }
  // Half of the rows are in a partition.
  expect([await chosen('part1', 90), await chosen('part1', 110)]).toEqual(['off off off', 'on on on']);
  await session.close();
});

test('many entries of few keys are few changes; of a table that is no larger they are not looked through', async () => {
  const source = await freshDatabase();
  await source.script(`
    create table t ("the id" integer primary key);
    insert into t select generate_series(1, 10000);
    analyze t;
    create table public."the delta" ("the id" integer, change_xid xid8, change_bulk bigint);
    -- Covered by the position: 900 keys. Pending: some of transactions that were running then, the rest of later ones.
    insert into public."the delta" select g, '100', null from generate_series(1, 900) as g;
    insert into public."the delta" select g % 3, case when g % 2 = 0 then '90' else '200' end::xid8, null from generate_series(1, 900) as g;
  `);
  const session = await connect({ database: 'source', url: source.url, variable: 'SOURCE_URL', role: 'source' });
  onTestFinished(() => session.close());
  const chosen = async (from: string, entries: number): Promise<unknown> => {
    await session.query('begin');
    const among = { delta: 'public."the delta"', key: ['the id'] };
    const answers = await session.batch([setPosition(parsePosition(from)), joinsFor({ schema: 'public', name: 't' }, entries, among)]);
    await session.query('rollback');
    return answers[1]?.lists[0];
  };
  const [byKey, byPlanner, withHelp] = [
    ['off', 'off', 'off', '0'],
    ['on', 'on', 'on', '0'],
    ['on', 'on', 'on', '2'],
  ];
  expect(await chosen('1.2.3/90:150:90', 900)).toEqual(byKey);
  expect(await chosen('1.2.3/90:100:90', 900)).toEqual(byPlanner);
  expect(await chosen('1.2.3/90:150:90', 1_001)).toEqual(byPlanner);
  expect(await chosen('1.2.3/90:150:90', 100_000)).toEqual(withHelp);
});

test('a small stage is written without reading the whole target, and then the planner has its choice again', async () => {
  const { source, target, project } = await replicated('create table t (id integer primary key, v integer);');
  await source.query('insert into t select g, 0 from generate_series(1, 20000) as g');
  await target.script('insert into t select g, 0 from generate_series(1, 20000) as g; analyze t;');
  const [work] = streamTables(oneWayOf((await project.generated()).plan, 's'), 'target');
  if (work === undefined) throw new Error('no table');
  const session = await connect({ database: 'target', url: target.url, variable: 'TARGET_URL', role: 'target' });
  onTestFinished(() => session.close());
  const write = async (rows: number): Promise<unknown> => {
    await session.query('begin read write');
    await session.query(work.apply.createStage);
    await session.query(`insert into pg_temp.stage_public_t select true, g, 1 from generate_series(1, ${String(rows)}) as g`);
    await writeStage({ target: session, work, failpoint: noFailpoint }, rows);
    const { rows: seen } = await session.query(
      "select seq_scan::text as reads, current_setting('enable_seqscan') as usual from pg_stat_xact_user_tables where relname = 't'",
    );
    await session.query('rollback');
    return seen[0];
  };
  expect(await write(100)).toEqual({ reads: '0', usual: 'on' });
  expect(await write(15_000)).toEqual({ reads: '1', usual: 'on' });
});
