import { pause } from '../../test/support/wait.ts';
import { withFollower } from '../harness/following.ts';
import type { Databases, Follower } from '../harness/peer.ts';
import { parentOf, processorSeconds } from '../harness/processor.ts';
import { percentile } from '../harness/statistics.ts';
import { KEEP_TEN, moreTables, TABLES } from '../harness/tables.sql.ts';
import type { Workload } from '../harness/workload.ts';
import { none } from '../peers/none.ts';
import { sarrio } from '../peers/sarrio.ts';
import { probe, WARM_UP } from './latency.ts';

const TRANSACTIONS = 1_000;
const IDLE_SECONDS = 30;
/** Until the tables that nobody writes to are known to be empty. */
const SETTLE_MS = 15_000;
/** Until autovacuum, which comes every minute, has been over what was installed: that is no idleness yet. */
const REST_MS = 75_000;

/** A round of one table in a sync of a thousand, beside the same in a sync of ten. */
export const manyTables: Workload = {
  name: 'many-tables',
  title: 'many-tables: one of 1,000 tables changes, 100 tx/s',
  peers: [sarrio],
  lines: [
    { measure: 'ten', title: 'p50 of 10 tables, ms' },
    { measure: 'thousand', title: 'p50 of 1,000 tables, ms' },
    { measure: 'ratio', title: 'the latter by the former', goal: { atMost: 2 } },
  ],
  prepare: (database) => database.script(TABLES + moreTables(996)),
  measure: async (peer, databases, scale) => {
    const p50 = () => withFollower(peer, databases, async () => median(databases, scale));
    const thousand = await p50();
    for (const database of [databases.source, databases.target]) await database.script(KEEP_TEN);
    const ten = await p50();
    return { ten, thousand, ratio: thousand / ten };
  },
};

async function median(databases: Databases, scale: number): Promise<number> {
  await pause(SETTLE_MS * Math.min(1, scale));
  return percentile(await probe(databases, WARM_UP + Math.round(TRANSACTIONS * scale)), 0.5);
}

/** Nothing is written: what the runner and both servers use. */
export const idle: Workload = {
  name: 'idle',
  title: 'idle: 100 tables, nothing written',
  peers: [none, sarrio],
  lines: [{ measure: 'percent', title: 'of one core, runner and servers', goal: { atMost: 1 } }],
  prepare: (database) => database.script(TABLES + moreTables(96)),
  measure: (peer, databases, scale) =>
    withFollower(peer, databases, async (follower) => {
      await pause(REST_MS * Math.min(1, scale));
      const roots = await processes(databases, follower);
      const before = await processorSeconds(roots);
      const seconds = Math.max(5, IDLE_SECONDS * scale);
      await pause(seconds * 1_000);
      return { percent: (100 * ((await processorSeconds(roots)) - before)) / seconds };
    }),
};

/** Both postmasters and the runner. */
async function processes({ source, target }: Databases, follower: Follower): Promise<readonly number[]> {
  const postmasters = [source, target].map(async (database) => {
    const client = await database.connect();
    const backend = Number((await client.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]?.pid);
    const postmaster = await parentOf(backend);
    await client.end();
    return postmaster;
  });
  const runner = follower.pid();
  return [...(await Promise.all(postmasters)), ...(runner === null ? [] : [runner])];
}
