import { describe, expect, test } from 'vitest';
import { makeThrottle } from '../../src/runner/8-round/ranges/throttle.ts';
import { verb as copyVerb } from '../../src/commands/copy.ts';
import { RANGE_POINTS } from '../crash/points.ts';
import { sarrio } from '../support/cli.ts';
import { tablesEqual } from '../support/compare.ts';
import { catchUp, cutOff } from '../support/follow.ts';
import { oneWayPair, type Pair } from '../support/one-way.ts';
import { leftAlone, rangesOf } from '../support/ranges.ts';
import { runVerb } from '../support/run-verb.ts';

const SCHEMA =
  'create table big (id integer primary key, code integer unique, v text, hidden boolean not null default false) with (autovacuum_enabled = false);';
const FILL = "insert into big select g, g, repeat('x', 100) from generate_series(1, 40000) g";
/** Rows change their block: those of the end go to where others were, in blocks that are copied already, and the other way round; keys and unique values change hands. */
const MOVE = [
  'delete from big where id % 5 = 0',
  'vacuum big',
  "update big set v = 'moved' where id > 30000",
  'vacuum big',
  "update big set v = v || repeat('y', 90) where id < 9000",
  'update big set code = -code where id in (7, 39001); update big set code = 39001 where id = 7; update big set code = 7 where id = 39001',
  'update big set id = id + 100000 where id between 101 and 200',
  "insert into big select g, g + 50000, 'new' from generate_series(41005, 61000, 5) g",
  "update big set code = 200001 where id = 1; insert into big values (-1, 1, 'has the code of another')",
];

async function rangedPair(more: Parameters<typeof oneWayPair>[1] = {}): Promise<Pair> {
  const pair = await oneWayPair(SCHEMA, { copy: { chunk: '1 MB', jobs: 2 }, ...more });
  await pair.source.query(FILL);
  return pair;
}

async function cut(pair: Pair, point: string, nth: number): Promise<void> {
  await cutOff(pair.project, point, nth);
  await leftAlone(pair);
}

const finished = async ({ target }: Pair): Promise<number> => {
  const [row] = await target.query<{ n: number }>('select count(*)::int as n from sarrio.copy_range where copied_at is not null');
  return row?.n ?? 0;
};

describe('a large table is copied in ranges', () => {
  test.each(RANGE_POINTS)('a run that ends at %s loses and doubles nothing, and what is there is not copied again', async (point) => {
    const pair = await rangedPair();
    const { source, target, project } = pair;
    await cut(pair, point, ['copy.before-ranges', 'copy.before-whole'].includes(point) ? 1 : 3);
    const done = await finished(pair);
    if (point !== 'copy.before-ranges') expect(done).toBeGreaterThan(0);
    for (const statement of MOVE) await source.script(statement);
    const events = await catchUp(project);
    const [first] = rangesOf(events);
    expect(rangesOf(events)).toHaveLength((first?.total ?? done) - done);
    expect(await tablesEqual(source, target, 'public.big')).toBe(true);
    expect(await target.query('select from sarrio.copy_range')).toEqual([]);
  });

  test('a runner killed by SIGKILL while ranges are copied: the next one copies the others alone', async () => {
    const pair = await rangedPair();
    const { source, target, project } = pair;
    const env = { ...project.env, SARRIO_FAILPOINT: 'copy.before-range-commit:4=kill' };
    expect((await sarrio(['run', '--generated', project.dir], { env })).exitCode).not.toBe(0);
    await leftAlone(pair);
    const done = await target.query<{ number: number; xmin: string }>('select number, xmin::text from sarrio.copy_range where copied_at is not null');
    const kept = await target.query<{ id: number; xmin: string }>('select id, xmin::text from big');
    expect(done.length).toBeGreaterThan(0);
    expect(kept.length).toBeGreaterThan(0);
    const events = await catchUp(project);
    const [first] = rangesOf(events);
    expect(rangesOf(events)).toHaveLength((first?.total ?? done.length) - done.length);
    // The rows are those that the killed runner has brought, not others of the same content.
    const now = new Map((await target.query<{ id: number; xmin: string }>('select id, xmin::text from big')).map(({ id, xmin }) => [id, xmin]));
    expect(kept.filter(({ id, xmin }) => now.get(id) !== xmin)).toEqual([]);
    expect(await tablesEqual(source, target, 'public.big')).toBe(true);
  });

  test.each([
    ['VACUUM FULL', 'vacuum full big'],
    ['TRUNCATE', 'truncate big'],
  ])('a %s in the middle lets the copy begin anew', async (_, statement) => {
    const pair = await rangedPair();
    const { source, target, project } = pair;
    await cut(pair, 'copy.after-range', 2);
    await source.script('delete from big where id % 2 = 0');
    await source.script(statement);
    await source.query("insert into big select g, g, 'after' from generate_series(50001, 60000) g");
    await catchUp(project);
    expect(await tablesEqual(source, target, 'public.big')).toBe(true);
  });

  test('a filter and a computed column hold in each range; rows enter and leave it meanwhile', async () => {
    const pair = await rangedPair({
      tables: [{ table: 'public.big', where: 'not hidden -- no comment', columns: { omit: ['hidden', 'v'], compute: { length: 'length(v)' } } }],
      targetSchema: 'create table big (id integer primary key, code integer unique, length integer);',
    });
    const { source, target, project } = pair;
    await cut(pair, 'copy.after-range', 2);
    await source.script("update big set hidden = true where id % 3 = 0; update big set v = 'short' where id % 7 = 0");
    await catchUp(project);
    const compared = { source: 'public.big', where: 'not hidden', columns: { id: 'id', code: 'code', length: 'length(v)' } };
    expect(await tablesEqual(source, target, compared)).toBe(true);
  });

  test('an archive that is copied anew keeps what the source has no more', async () => {
    const pair = await rangedPair({ skip: ['delete'], targetSchema: SCHEMA.replace('unique', '') });
    const { source, target, project } = pair;
    await catchUp(project);
    await source.script('delete from big where id <= 1000');
    await catchUp(project);
    await target.script("update big set v = 'spoilt' where id between 900 and 1100; delete from big where id = 39999");
    await source.query('update sarrio.acknowledged set registration = gen_random_uuid(), position = null, replace_rows = true');
    await catchUp(project);
    expect(await target.query("select count(*)::int as n, (count(*) filter (where v = 'spoilt'))::int as spoilt from big")).toEqual([
      { n: 40000, spoilt: 101 },
    ]);
    expect((await project.verify()).exit).toBe('ok');
  });

  /** Neither may its rows go, nor can ranges be laid over them: a deferrable index tells no row that is in the way. */
  test('an archive that can only be copied as a whole is not copied over the rows that it keeps (SAR643)', async () => {
    const pair = await oneWayPair(SCHEMA, { skip: ['delete'], targetSchema: SCHEMA.replace('unique', 'unique deferrable') });
    const { source, target, project } = pair;
    await source.query("insert into big select g, g, 'old' from generate_series(1, 20) g");
    await catchUp(project);
    await source.script('delete from big where id <= 5');
    await catchUp(project);
    const kept = await target.query('select * from big order by id');
    expect(kept).toHaveLength(20);
    const again = await runVerb(copyVerb, ['--sync', 's', '--target', 'target', '--replace', '--generated', project.dir], {
      cwd: project.dir,
      env: project.env,
    });
    expect(again.exit).toBe('ok');
    await source.query("update big set v = 'new' where id = 6");
    await expect(catchUp(project)).rejects.toMatchObject({ exit: 'refused', diagnostics: [{ code: 'SAR643', where: 'database target, table public.big' }] });
    expect(await target.query('select * from big order by id')).toEqual(kept);
    // What it says to do: the rows that are to stay are moved away, and the table is empty.
    await target.script('create table moved as select * from big where id <= 5; delete from big');
    await catchUp(project);
    expect(await tablesEqual(source, target, 'public.big')).toBe(true);
    await source.script('delete from big where id = 6');
    await catchUp(project);
    expect(await target.query('select id, v from big where id = 6')).toEqual([{ id: 6, v: 'new' }]);
  });
});

test('a rate lets so many bytes pass in a second, all jobs together', async () => {
  const time = { now: 0, slept: [] as number[] };
  const clock = {
    now: () => time.now,
    random: () => 0,
    sleep: async (ms: number) => {
      time.slept.push(ms);
    },
  };
  const throttle = makeThrottle(clock, 1000);
  await throttle?.(500);
  await throttle?.(500);
  await throttle?.(1000);
  time.now = 10_000;
  await throttle?.(1);
  expect(time.slept).toEqual([500, 1000]);
  expect(makeThrottle(clock, undefined)).toBe(null);
});
