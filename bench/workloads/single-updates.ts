import { mustBeEqual } from '../harness/check.ts';
import { sentinel, timed, withFollower } from '../harness/following.ts';
import type { Databases, Follower, Peer } from '../harness/peer.ts';
import { pgbench } from '../harness/pgbench.ts';
import { fillNarrow, TABLES, updateOne, VACUUM } from '../harness/tables.sql.ts';
import type { Measures, Workload } from '../harness/workload.ts';
import { bucardo } from '../peers/bucardo.ts';
import { native } from '../peers/native.ts';
import { none } from '../peers/none.ts';
import { sarrio } from '../peers/sarrio.ts';

const ROWS = 100_000;
const SECONDS = 20;
const peers: readonly Peer[] = [none, native, sarrio, bucardo];

async function prepare(database: Databases['source']): Promise<void> {
  await database.script(TABLES);
  await database.query(fillNarrow(ROWS));
  await database.query(VACUUM);
}

/** Many clients, each with one row in a transaction, while the peer listens. */
export const singleUpdates: Workload = {
  name: 'single-updates',
  title: 'single-updates: one row by key, 64 clients, 20 s',
  needs: 'pgbench',
  peers,
  lines: [
    { measure: 'tps', title: 'TPS while it follows', goal: { to: 'none', atLeast: 0.72 } },
    { measure: 'captured', title: 'TPS while it is paused: capture only' },
  ],
  prepare,
  measure: (peer, databases, scale) =>
    withFollower(peer, databases, async (follower) => {
      const load = { clients: 64, script: updateOne(ROWS), until: { seconds: Math.max(2, Math.round(SECONDS * scale)) } };
      const tps = await pgbench(databases.source, load);
      if (peer.name === 'none') return { tps };
      await sentinel(databases, 1);
      await mustBeEqual(databases, 'public.narrow');
      await follower.pause();
      return { tps, captured: await pgbench(databases.source, load) };
    }),
};

/** Few rows changed often while the peer's process stood still. */
export const hotRows: Workload = {
  name: 'hot-rows',
  title: 'hot-rows: 20,000 updates of 100 rows while it was off',
  needs: 'pgbench',
  peers: [native, sarrio, bucardo],
  lines: [
    { measure: 'startUp', title: 'start-up, s' },
    { measure: 'catchUp', title: 'catch-up after that, s', goal: { atMost: 0.15 } },
  ],
  prepare,
  measure: (peer, databases, scale) => withFollower(peer, databases, (follower) => catchUpAfter(databases, follower, Math.round(5_000 * scale))),
};

async function catchUpAfter(databases: Databases, follower: Follower, transactions: number): Promise<Measures> {
  await follower.pause();
  await pgbench(databases.source, { clients: 4, script: updateOne(100), until: { transactions } });
  const startUp = await timed(async () => {
    await follower.resume();
    await follower.isRunning();
  });
  const catchUp = await timed(() => sentinel(databases, 1));
  await mustBeEqual(databases, 'public.narrow');
  return { startUp, catchUp };
}
