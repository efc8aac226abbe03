import type { TestDatabase } from '../../test/support/database.ts';
import { pause, waitUntil } from '../../test/support/wait.ts';
import { mustBeEqual } from '../harness/check.ts';
import { sentinel, timed, withFollower } from '../harness/following.ts';
import type { Databases, Follower, Peer } from '../harness/peer.ts';
import { pgbench } from '../harness/pgbench.ts';
import { percentile } from '../harness/statistics.ts';
import { changeRows, COUNT_CONFLICTS, fillNarrow, fillWide, LAST_PROBE, PROBE, ROWS_OF_BOTH, TABLES, updateOne, VACUUM } from '../harness/tables.sql.ts';
import { type Measures, MEMORY, memoryOf, type Workload } from '../harness/workload.ts';
import { none } from '../peers/none.ts';
import { masters, mastersWithHandler } from '../peers/sarrio.ts';

const ROWS = 300_000;
const CONFLICTS = 60_000;

async function prepare(database: TestDatabase): Promise<void> {
  await database.script(TABLES);
  await database.query(fillWide(ROWS));
  await database.query(fillNarrow(ROWS));
  await database.query(VACUUM);
}

/** What two masters changed while the runner was off: rows of their own in two tables, and rows of both. */
export const masterMerge: Workload = {
  name: 'master-merge',
  title: 'master-merge: 10,000 rows of each of two tables on each of two masters, 2,000 on both, while it was off',
  peers: [masters],
  lines: [
    { measure: 'startUp', title: 'start-up, s' },
    { measure: 'toEqual', title: 'equal after that, s', goal: { atMost: 0.6 } },
    { measure: 'conflicts', title: 'conflicts decided' },
    MEMORY,
  ],
  prepare,
  measure: (peer, databases) =>
    withFollower(peer, databases, async (follower) => {
      await follower.pause();
      for (const table of ['narrow', 'wide'] as const) {
        await databases.source.query(changeRows(table, { from: 1, to: 10_000, value: '1000000 + id' }));
        await databases.target.query(changeRows(table, { from: 10_001, to: 20_000, value: '2000000 + id' }));
        await databases.source.query(changeRows(table, { from: 20_001, to: 21_000, value: '111' }));
        await databases.target.query(changeRows(table, { from: 20_001, to: 21_000, value: '222' }));
      }
      return mergeAfter(databases, follower, [1, 10_000, 10_001, 20_000, 20_001, 21_000]);
    }),
};

/** A round is there wholly or not at all, so that a few of its rows tell; all of them are compared in the end. */
async function mergeAfter(databases: Databases, follower: Follower, sampled: readonly number[]): Promise<Measures> {
  const startUp = await timed(async () => {
    await follower.resume();
    await follower.isRunning();
  });
  const toEqual = await timed(() => waitUntil('both are equal', () => areEqual(databases, sampled), { timeoutMs: 120_000, everyMs: 5 }));
  const [row] = await databases.source.query<{ conflicts: number }>(COUNT_CONFLICTS);
  for (const table of ['public.narrow', 'public.wide'] as const) await mustBeEqual(databases, table);
  return { startUp, toEqual, conflicts: row?.conflicts ?? 0, ...memoryOf(await follower.peakMb()) };
}

/** Whether the rows with these ids are the same on both sides. */
async function areEqual({ source, target }: Databases, ids: readonly number[]): Promise<boolean> {
  const [one, other] = await Promise.all([textOf(source, ids), textOf(target, ids)]);
  return one === other;
}

async function textOf(database: TestDatabase, ids: readonly number[]): Promise<string> {
  return (await database.query<{ rows: string }>(ROWS_OF_BOTH, [ids]))[0]?.rows ?? '';
}

/** Nothing but conflicts, of rows of 327 bytes. */
function conflictsWorkload(options: { name: string; title: string; peer: Peer; atLeast: number }): Workload {
  const { name, title, peer, atLeast } = options;
  return {
    name,
    title,
    peers: [peer],
    lines: [{ measure: 'perSecond', title: 'conflicts decided, /s', goal: { atLeast } }, { measure: 'toEqual', title: 'equal after the start, s' }, MEMORY],
    prepare,
    measure: (_, databases, scale) =>
      withFollower(peer, databases, async (follower) => {
        const rows = Math.round(CONFLICTS * scale);
        await follower.pause();
        await databases.source.query(changeRows('wide', { from: 1, to: rows, value: '111' }));
        await databases.target.query(changeRows('wide', { from: 1, to: rows, value: '222' }));
        const { toEqual = 0, startUp = 0, conflicts = 0, ...rest } = await mergeAfter(databases, follower, [1, rows]);
        if (conflicts !== rows) throw new Error(`${conflicts} conflicts were decided instead of ${rows}`);
        return { perSecond: conflicts / toEqual, toEqual: startUp + toEqual, ...rest };
      }),
  };
}

export const masterConflicts: Workload = conflictsWorkload({
  name: 'master-conflicts',
  title: `master-conflicts: ${CONFLICTS} rows changed on both sides, by last-update-wins`,
  peer: masters,
  atLeast: 30_000,
});

export const masterHandlers: Workload = conflictsWorkload({
  name: 'master-handlers',
  title: `master-handlers: ${CONFLICTS} rows changed on both sides, by a handler that merges`,
  peer: mastersWithHandler,
  atLeast: 5_000,
});

const HOT_ROWS = 10;
const HOT_SECONDS = 60;

/** Four clients on each of two masters, all on the same ten rows. */
export const masterHotRows: Workload = {
  name: 'master-hot-rows',
  title: `master-hot-rows: two masters, 4 clients each on the same ${HOT_ROWS} rows, ${HOT_SECONDS} s`,
  needs: 'pgbench',
  peers: [none, masters],
  lines: [
    { measure: 'tps', title: 'TPS of both together', goal: { to: 'none', atLeast: 0.6 } },
    { measure: 'lagP99', title: 'a row of another table, commit to visible, p99, ms', goal: { atMost: 500 } },
    { measure: 'afterEnd', title: 'equal after the end, s', goal: { atMost: 1 } },
    MEMORY,
  ],
  prepare,
  measure: (peer, databases, scale) =>
    withFollower(peer, databases, async (follower) => {
      const hotRows = Array.from({ length: HOT_ROWS }, (_, index) => index + 1);
      const seconds = Math.max(3, Math.round(HOT_SECONDS * scale));
      const lag = peer.name === 'none' ? null : startProbe(databases.source, databases.target);
      const load = { clients: 4, script: updateOne(HOT_ROWS), until: { seconds } };
      const both = await Promise.all([pgbench(databases.source, load), pgbench(databases.target, load)]);
      const tps = both[0] + both[1];
      if (lag === null) return { tps };
      // The probe goes on meanwhile: to wait for its last row first would be to wait for the round that is measured.
      const afterEnd = await timed(() => waitUntil('both are equal', () => areEqual(databases, hotRows), { timeoutMs: 60_000, everyMs: 5 }));
      const took = await lag.stop();
      await mustBeEqual(databases, 'public.narrow');
      return { tps, lagP99: percentile(took, 0.99), afterEnd, ...memoryOf(await follower.peakMb()) };
    }),
};

/** One row at a time, ten a second. */
function startProbe(from: TestDatabase, to: TestDatabase): { stop(): Promise<readonly number[]> } {
  const state = { on: true };
  const took: number[] = [];
  const probing = (async () => {
    for (let id = 1; state.on; id += 1) {
      const start = performance.now();
      await from.query(PROBE, [id]);
      await waitUntil('the row is visible', async () => Number((await to.query(LAST_PROBE))[0]?.['id'] ?? 0) >= id, { everyMs: 5 });
      took.push(performance.now() - start);
      await pause(100);
    }
  })();
  return {
    stop: async () => {
      state.on = false;
      await probing;
      return took;
    },
  };
}

const TRANSACTIONS = 1_000;
const WARM_UP = 200;

/** One row in each transaction, a hundred a second on each master, commit included. */
export const masterLatency: Workload = {
  name: 'master-latency',
  title: 'master-latency: one row at 100 tx/s on each of two masters, commit included',
  peers: [masters],
  lines: [{ measure: 'p50', title: 'p50, ms', goal: { atMost: 4 } }, { measure: 'p99', title: 'p99, ms', goal: { atMost: 15 } }, MEMORY],
  prepare: (database) => database.script(TABLES),
  measure: (peer, databases, scale) =>
    withFollower(peer, databases, async (follower) => {
      const count = WARM_UP + Math.round(TRANSACTIONS * scale);
      const { source, target } = databases;
      const took = (await Promise.all([oneWay(source, target, { count, first: 1 }), oneWay(target, source, { count, first: 1_000_001 })])).flat();
      await sentinel(databases, 1);
      await mustBeEqual(databases, 'public.probe');
      return { p50: percentile(took, 0.5), p99: percentile(took, 0.99), ...memoryOf(await follower.peakMb()) };
    }),
};

async function oneWay(from: TestDatabase, to: TestDatabase, { count, first }: { count: number; first: number }): Promise<readonly number[]> {
  const [writer, reader] = [await from.connect(), await to.connect()];
  const sent: number[] = [];
  const seen: number[] = [];
  const last = `select coalesce(max(id), 0)::int as id from probe where id >= ${first} and id < ${first + 1_000_000}`;
  const polling = (async () => {
    while (seen.length < count) {
      const { rows } = await reader.query<{ id: number }>({ name: 'last', text: last });
      const now = performance.now();
      for (let id = seen.length; id <= (rows[0]?.id ?? 0) - first; id += 1) seen.push(now);
      await pause(1);
    }
  })();
  const start = performance.now();
  for (let turn = 0; turn < count; turn += 1) {
    await pause(Math.max(0, start + turn * 10 - performance.now()));
    sent.push(performance.now());
    await writer.query({ name: 'probe', text: PROBE, values: [first + turn] });
  }
  await polling;
  await Promise.all([writer.end(), reader.end()]);
  return sent.map((at, index) => (seen[index] ?? Number.NaN) - at).slice(WARM_UP);
}
