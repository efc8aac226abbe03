import { describe, expect, test } from 'vitest';
import type { CopySettings } from '../../src/index.ts';
import { rangeEnds } from '../../src/runner/8-round/ranges/ranges.ts';
import { RANGE_POINTS } from '../crash/points.ts';
import { sarrio } from '../support/cli.ts';
import { tablesEqual } from '../support/compare.ts';
import { catchUp, cutOff } from '../support/follow.ts';
import { oneWayPair, type Pair } from '../support/one-way.ts';
import { leftAlone, rangesOf } from '../support/ranges.ts';

const COPY = { chunk: '1 MB', jobs: 2 } as const;
const PARTITIONS = `partition by list (region);
  create table big_small partition of big for values in (1);
  create table big_large partition of big for values in (2) partition by range (id);
  create table big_large_a partition of big_large for values from (minvalue) to (20000);
  create table big_large_b partition of big_large for values from (20000) to (maxvalue);
  create table big_empty partition of big default`;
const COLUMNS = 'create table big (id integer not null, region integer not null, v text, primary key (id, region))';
const FILL = "insert into big select g, 1 + least(g % 5, 1), repeat('x', 100) from generate_series(1, 40000) g";
/** Rows change their block and their partition: into blocks that are copied already, and the other way round. */
const MOVE = [
  'delete from big where id % 7 = 0',
  'vacuum big',
  "update big set region = 1, v = 'moved' where region = 2 and id between 5000 and 9000",
  "update big set region = 2, v = 'moved' where region = 1 and id > 30000",
  "update big set v = v || repeat('y', 90) where id % 11 = 0",
  "insert into big select g, 3, 'new' from generate_series(50001, 51000) g",
];

async function partitionedPair(targetSchema = `${COLUMNS} ${PARTITIONS}`, copy: CopySettings = COPY): Promise<Pair> {
  const pair = await oneWayPair(`${COLUMNS} ${PARTITIONS}`, { tables: ['public.big'], copy, targetSchema });
  await pair.source.query(FILL);
  return pair;
}

async function begun(pair: Pair): Promise<number> {
  const [row] = await pair.target.query<{ n: number }>('select count(*)::int as n from sarrio.copy_range where copied_at is not null');
  return row?.n ?? 0;
}

describe('a large partitioned table is copied in ranges of the blocks of all partitions', () => {
  test.each(RANGE_POINTS)('a run that ends at %s loses and doubles nothing, and what is there is not copied again', async (point) => {
    const pair = await partitionedPair();
    const { source, target, project } = pair;
    await cutOff(project, point, ['copy.before-ranges', 'copy.before-whole'].includes(point) ? 1 : 3);
    await leftAlone(pair);
    const done = await begun(pair);
    if (point !== 'copy.before-ranges') expect(done).toBeGreaterThan(0);
    for (const statement of MOVE) await source.script(statement);
    const ranges = rangesOf(await catchUp(project));
    expect(ranges).toHaveLength((ranges[0]?.total ?? done) - done);
    expect(await tablesEqual(source, target, 'public.big')).toBe(true);
    expect(await target.query('select from sarrio.copy_range')).toEqual([]);
  });

  test('into a table that is not partitioned, by a runner that SIGKILL ends on the way', async () => {
    const pair = await partitionedPair(COLUMNS);
    const { source, target, project } = pair;
    const env = { ...project.env, SARRIO_FAILPOINT: 'copy.before-range-commit:4=kill' };
    expect((await sarrio(['run', '--generated', project.dir], { env })).exitCode).not.toBe(0);
    await leftAlone(pair);
    const kept = await target.query<{ id: number; xmin: string }>('select id, xmin::text from big');
    const done = await begun(pair);
    expect(done).toBeGreaterThan(0);
    const ranges = rangesOf(await catchUp(project));
    expect(ranges).toHaveLength((ranges[0]?.total ?? done) - done);
    // The rows are those that the killed runner has brought, not others of the same content.
    const now = new Map((await target.query<{ id: number; xmin: string }>('select id, xmin::text from big')).map(({ id, xmin }) => [id, xmin]));
    expect(kept.filter(({ id, xmin }) => now.get(id) !== xmin)).toEqual([]);
    expect(await tablesEqual(source, target, 'public.big')).toBe(true);
  });

  test.each([
    ['VACUUM FULL of a partition', 'vacuum full big_large_a'],
    ['TRUNCATE of a partition', 'truncate big_small'],
    ['a partition that comes', 'create table big_other partition of big for values in (7)'],
  ])('%s in the middle lets the copy begin anew', async (_, statement) => {
    const pair = await partitionedPair();
    const { source, target, project } = pair;
    await cutOff(project, 'copy.after-range', 2);
    await leftAlone(pair);
    await source.script('delete from big where id % 2 = 0');
    await source.script(statement);
    await source.query("insert into big select g, 2 + 5 * (g % 2), 'after' from generate_series(50001, 52000) g");
    await project.compile({ s: { mode: 'one-way', source: 'source', targets: ['target'], tables: ['public.big'], copy: COPY } });
    expect((await project.approve()).exit).toBe('ok');
    await catchUp(project);
    expect(await tablesEqual(source, target, 'public.big')).toBe(true);
  });

  /** Rows of a partition that goes were never deleted: nothing captured tells of them. */
  test.each([
    ['is detached', 'alter table big detach partition big_large', 'begins anew'],
    ['below another one is detached', 'alter table big_large detach partition big_large_b', 'begins anew'],
    ['is dropped', 'drop table big_large_a', 'begins anew'],
    [
      'is detached, changed and attached again',
      "alter table big detach partition big_small; update big_small set v = 'apart'; alter table big attach partition big_small for values in (1)",
      'goes on',
    ],
  ] as const)('a partition that %s while it is copied: the copy ends with what there is', { timeout: 120_000 }, async (_, statement, outcome) => {
    const pair = await partitionedPair();
    const { source, target, project } = pair;
    const state = { passed: 0 };
    const events = await catchUp(project, async (point) => {
      if (point !== 'copy.after-range') return;
      state.passed += 1;
      if (state.passed === 2) await source.script(statement);
    });
    const retries = events.flatMap((event) => (event.kind === 'retry' && String(event.error).includes('SAR642') ? [event] : []));
    expect(retries).toHaveLength(outcome === 'begins anew' ? 1 : 0);
    expect(await target.query('select from sarrio.copy_range')).toEqual([]);
    await expectToFollow(pair);
  });

  test.each([
    ['is detached', 'alter table big detach partition big_large'],
    ['is dropped', 'drop table big_large_a'],
  ])('a partition that %s between two runs, the first of which has copied a part of it', { timeout: 120_000 }, async (_, statement) => {
    const pair = await partitionedPair();
    await cutOff(pair.project, 'copy.after-range', 2);
    await leftAlone(pair);
    expect(await begun(pair)).toBeGreaterThan(0);
    await pair.source.script(statement);
    await catchUp(pair.project);
    await expectToFollow(pair);
  });

  test.each([
    ['is detached', 'alter table big detach partition big_large'],
    ['is dropped', 'drop table big_large_a'],
  ])('a partition that %s when a table that is copied as a whole is about to be read', { timeout: 120_000 }, async (_, statement) => {
    const pair = await partitionedPair(`${COLUMNS} ${PARTITIONS}`, { jobs: 2 });
    const state = { isDone: false };
    const events = await catchUp(pair.project, async (point) => {
      if (point !== 'copy.before-load' || state.isDone) return;
      state.isDone = true;
      await pair.source.script(statement);
    });
    expect(rangesOf(events)).toEqual([]);
    expect(state.isDone).toBe(true);
    await expectToFollow(pair);
  });
});

async function expectToFollow({ source, target, project }: Pair): Promise<void> {
  expect(await tablesEqual(source, target, 'public.big')).toBe(true);
  await source.query("insert into big select g, 1, 'after' from generate_series(50001, 50100) g");
  await source.query('update big set v = concat(v, 1) where id % 3 = 0');
  await catchUp(project);
  expect(await tablesEqual(source, target, 'public.big')).toBe(true);
}

test.each([
  [[10], 4, [4, 8, 10]],
  [[0], 4, [0]],
  [[], 4, [0]],
  [[2, 10, 10], 6, [2, 5, 8, 10]],
  [[3, 3, 3, 3], 2, [1, 2, 3]],
  [[1, 1, 1, 100], 10, [7, 17, 27, 37, 47, 57, 67, 77, 87, 97, 100]],
])('partitions of %j blocks in ranges of %i blocks end at %j', (sizes, blocks, ends) => {
  expect(rangeEnds(sizes, blocks)).toEqual(ends);
});

test('a large partition among a thousand small ones makes no more ranges than its size asks for', () => {
  const sizes = [...Array.from({ length: 1000 }, () => 3), 1_000_000];
  expect(rangeEnds(sizes, 16_384).length).toBeLessThan(65);
});
