import { mustBeEqual } from '../harness/check.ts';
import { sentinel, timed, withFollower } from '../harness/following.ts';
import type { Databases, Follower, Peer } from '../harness/peer.ts';
import { pgbench } from '../harness/pgbench.ts';
import { COUNT_HISTORY, TABLES, tpcb as tpcbTables, TPCB_TABLES, VACUUM } from '../harness/tables.sql.ts';
import { MEMORY, memoryOf, type Measures, type Workload } from '../harness/workload.ts';
import { bucardo } from '../peers/bucardo.ts';
import { native } from '../peers/native.ts';
import { none } from '../peers/none.ts';
import { sarrio } from '../peers/sarrio.ts';

const SCALE = 10;
const SECONDS = 30;

/** Four clients at full speed on the machine that also replicates, and the same with the peer's process stopped. */
export const tpcb: Workload = {
  name: 'tpcb',
  title: 'tpcb: pgbench TPC-B, scale 10, 4 clients, 30 s',
  needs: 'pgbench',
  peers: [none, native, sarrio, bucardo],
  lines: [
    { measure: 'tps', title: 'TPS while it follows', goal: { to: 'none', atLeast: 0.78 } },
    { measure: 'tps', title: 'the same beside native', goal: { to: 'native', atLeast: 1 } },
    { measure: 'captureTps', title: 'TPS, capture only', goal: { to: 'none', atLeast: 0.88 } },
    { measure: 'behind', title: 'transactions behind at the end', goal: { atMost: 300 } },
    { measure: 'catchUp', title: 'catch-up, s', goal: { atMost: 0.3 } },
    { measure: 'drain', title: 'catch-up after capture only, s' },
    MEMORY,
  ],
  prepare: async (database) => {
    await database.script(TABLES + tpcbTables(SCALE));
    await database.query(VACUUM);
  },
  measure: (peer, databases, scale) =>
    withFollower(peer, databases, (follower) => measure({ peer, databases, follower, seconds: Math.max(2, SECONDS * scale) })),
};

async function measure(parts: { peer: Peer; databases: Databases; follower: Follower; seconds: number }): Promise<Measures> {
  const { peer, databases, follower, seconds } = parts;
  const load = { clients: 4, until: { seconds: Math.round(seconds) } };
  const tps = await pgbench(databases.source, load);
  if (peer.name === 'none') return { tps, captureTps: await pgbench(databases.source, load) };
  const behind = (await history(databases.source)) - (await history(databases.target));
  const catchUp = await timed(() => sentinel(databases, 1));
  const peak = await follower.peakMb();
  await follower.pause();
  const captureTps = await pgbench(databases.source, load);
  const drain = await timed(async () => {
    await follower.resume();
    await sentinel(databases, 2);
  });
  for (const table of TPCB_TABLES) await mustBeEqual(databases, `public.${table}`);
  return { tps, behind, catchUp, captureTps, drain, ...memoryOf(peak) };
}

async function history(database: Databases['source']): Promise<number> {
  return Number((await database.query(COUNT_HISTORY))[0]?.['n']);
}
