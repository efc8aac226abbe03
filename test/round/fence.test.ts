import { expect, onTestFinished, test } from 'vitest';
import { FEW_ENTRIES } from '../../src/plan/plan.ts';
import { formatPosition, parsePosition } from '../../src/plan/position.ts';
import { applyRound } from '../../src/runner/8-round/apply-round.ts';
import { makeTableWatch } from '../../src/runner/8-round/changed-tables/table-watch.ts';
import { openSource } from '../../src/runner/8-round/source.ts';
import { streamTables, workOf } from '../../src/runner/8-round/work.ts';
import { systemClock } from '../../src/runner/clock.ts';
import { noFailpoint } from '../../src/runner/failpoint.ts';
import { connect } from '../../src/runner/postgres/session.ts';
import { oneWayOf } from '../support/installation.ts';
import { replicated } from '../support/runner.ts';

const STREAM = { sync: 's', source: 'source', target: 'target' } as const;

/** A round of one stream, made by hand, with the sessions that a runner would have. */
async function stage() {
  const { source, target, project } = await replicated('create table t (id integer primary key, v integer unique);');
  const sync = { ...oneWayOf((await project.generated()).plan, 's'), fewEntries: FEW_ENTRIES };
  const open = () => connect({ database: 'source', url: source.url, variable: 'SOURCE_URL', role: 'source' });
  const opened = await openSource({ name: 'source', sync, connect: open, clock: systemClock, failpoint: noFailpoint });
  const session = await connect({ database: 'target', url: target.url, variable: 'TARGET_URL', role: 'target' });
  onTestFinished(async () => {
    await opened.close();
    await session.close();
  });
  const stored = async (): Promise<string> => String((await target.query('select position from sarrio.watermark'))[0]?.['position']);
  const tables = streamTables(sync, 'target');
  const { shapes } = (await project.generated()).plan.databases['source'] ?? { shapes: {} };
  const watch = makeTableWatch({ stream: STREAM, tables, shapes: { source: shapes, target: shapes }, target: session, clock: systemClock, resting: '{}' });
  // Only of tables that are known to fit does a commit travel with the rows.
  const [tokens] = await session.batch([watch.ask(tables)]);
  await watch.check(session, tables, tokens);
  /** One round from a watermark; `isOnDisk` as the source said it, or as it is told here. */
  const round = async (from: string, isOnDisk?: boolean) => {
    const reading = await opened.open(parsePosition(from));
    try {
      const work = await workOf(reading, tables, { states: [{ kind: 'joined' }], stops: new Map() });
      const as = isOnDisk === undefined ? reading : { ...reading, isOnDisk };
      const result = await applyRound({ stream: STREAM, reading: as, target: session, work, stored: from, watch, held: [], failpoint: noFailpoint });
      return { ...result, to: formatPosition(reading.position) };
    } finally {
      await reading.release();
    }
  };
  return { source, target, stored, round };
}

test('a round whose commit travels with its rows writes nothing when another runner has moved the watermark, or taken it away', async () => {
  const { source, target, stored, round } = await stage();
  const from = await stored();
  await source.query('insert into t values (1, 1)');
  const moved = { code: 'SAR606' };
  for (const isOnDisk of [true, false]) {
    for (const change of ["update sarrio.watermark set position = position || ' '", 'delete from sarrio.watermark']) {
      const session = await target.connect();
      await session.query('create temporary table kept as select * from sarrio.watermark');
      await session.query(change);
      await expect(round(from, isOnDisk)).rejects.toMatchObject({ diagnostics: [moved] });
      expect(await target.query('select * from t')).toEqual([]);
      await session.query('delete from sarrio.watermark');
      await session.query('insert into sarrio.watermark select * from kept');
      await session.end();
    }
  }
  expect(await round(from)).toMatchObject({ rows: 1, path: 'few-rows' });
  expect(await target.query('select * from t')).toEqual([{ id: 1, v: 1 }]);
});

test('a clash of unique values rolls the round back before it is made again, with its commit on the way or not', async () => {
  const { source, target, stored, round } = await stage();
  for (const isOnDisk of [true, false]) {
    await source.query('delete from t');
    await source.query('insert into t values (1, 1), (2, 2)');
    await round(await stored(), isOnDisk);
    await source.script('begin; update t set v = 3 where id = 1; update t set v = 1 where id = 2; update t set v = 2 where id = 1; commit');
    const { to } = await round(await stored(), isOnDisk);
    expect(await target.query('select * from t order by id')).toEqual([
      { id: 1, v: 2 },
      { id: 2, v: 1 },
    ]);
    expect(await stored()).toBe(to);
  }
});

test('rows that came along with the count are all of them, or are not used', async () => {
  const { source, target, stored, round } = await stage();
  await source.query('insert into t values (0, 0)');
  await round(await stored());
  // What the last round asked for comes along with the next count: never more than a few, and here there are more.
  for (const many of [FEW_ENTRIES, FEW_ENTRIES + 1, 2_500]) {
    await source.query('insert into t select g, g from generate_series((select max(id) from t) + 1, (select max(id) from t) + $1) g', [many]);
    expect((await round(await stored())).rows).toBe(many);
    await source.query('update t set v = -v where id = 0');
    await round(await stored());
  }
  const counts = 'select count(*)::int as n, sum(id)::int as id, sum(v)::int as v from t';
  expect(await target.query(counts)).toEqual(await source.query(counts));
});
