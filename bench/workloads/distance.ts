import { databaseName } from '../../test/support/database.ts';
import { type ProxyOptions, startProxy } from '../../test/support/proxy.ts';
import { pause, waitUntil } from '../../test/support/wait.ts';
import { mustBeEqual } from '../harness/check.ts';
import { withFollower } from '../harness/following.ts';
import { missingNamespace, openNamespace } from '../harness/namespace.ts';
import type { Databases, Peer } from '../harness/peer.ts';
import { percentile } from '../harness/statistics.ts';
import { LAST_PROBE, moreTables, TABLES, writeEverywhere } from '../harness/tables.sql.ts';
import { type Measures, MEMORY, memoryOf, type Workload } from '../harness/workload.ts';
import { sarrio, sarrioWithin } from '../peers/sarrio.ts';

const TRIP_MS = 50;
const OTHER_TABLES = 19;
const TRANSACTIONS = 60;
const WARM_UP = 5;
const POLL_MS = 1;
/** Longer than a round, so that each transaction finds the runner asleep. */
const EVERY_MS = 1000;

/** The runner is a round trip of 50 ms away from both servers; those who write and read are not. One row in each of twenty tables, one transaction. */
export const distance: Workload = {
  name: 'distance',
  title: 'distance: 20 rows of 20 tables, runner 50 ms from both servers',
  peers: [sarrio],
  lines: [{ measure: 'p50', title: 'commit to visible, p50, ms', goal: { atMost: 350 } }, { measure: 'p99', title: 'p99, ms' }, MEMORY],
  prepare: (database) => database.script(`${TABLES}\n${moreTables(OTHER_TABLES)}`),
  measure: async (peer, databases, scale) => {
    return measureThrough(peer, { databases, scale, proxied: { tripMs: TRIP_MS } });
  },
};

/** The same over packets that the kernel holds back, in a network namespace: as root, where the kernel has netem. Connecting and TCP itself take their trips, too. */
export const distanceNetem: Workload = {
  ...distance,
  name: 'distance-netem',
  title: 'distance, netem: 20 rows of 20 tables, runner in a network namespace 50 ms from both servers',
  // No goal: where it cannot be measured, none is missed.
  lines: [
    { measure: 'p50', title: 'commit to visible, p50, ms' },
    { measure: 'p99', title: 'p99, ms' },
    { measure: 'peakMb', title: MEMORY.title },
  ],
  peers: [{ ...sarrio, missing: () => missingNamespace(TRIP_MS) }],
  measure: async (_, databases, scale) => {
    const { hostAddress, within, close } = await openNamespace(TRIP_MS);
    try {
      return await measureThrough(sarrioWithin(within), { databases, scale, proxied: { host: hostAddress } });
    } finally {
      await close();
    }
  },
};

type Through = { readonly databases: Databases; readonly scale: number; readonly proxied: ProxyOptions };

/** The runner reaches both servers through proxies alone, which in a namespace only carry its bytes to where the servers listen. */
async function measureThrough(peer: Peer, { databases, scale, proxied }: Through): Promise<Measures> {
  const proxies = await Promise.all([databases.source, databases.target].map(({ url }) => startProxy(url, proxied)));
  const [source, target] = [databases.source, databases.target].map((database, index) => ({
    ...database,
    url: proxies[index]?.url(databaseName(database.url)) ?? '',
  }));
  try {
    return await withFollower(peer, { source: source ?? databases.source, target: target ?? databases.target }, async (follower) => {
      const took = await transactions(databases, WARM_UP + Math.max(5, Math.round(TRANSACTIONS * scale)));
      const peak = await follower.peakMb();
      await mustBeEqual(databases, 'public.probe');
      return { p50: percentile(took, 0.5), p99: percentile(took, 0.99), ...memoryOf(peak) };
    });
  } finally {
    await Promise.all(proxies.map((proxy) => proxy.close()));
  }
}

/** Milliseconds from each commit to the moment at which a poll of the target sees it. */
async function transactions({ source, target }: Databases, count: number): Promise<readonly number[]> {
  const [writer, reader] = await Promise.all([source.connect(), target.connect()]);
  const took: number[] = [];
  for (let id = 1; id <= count; id += 1) {
    await writer.query(writeEverywhere(OTHER_TABLES, id));
    const committed = performance.now();
    const isVisible = async (): Promise<boolean> => {
      const { rows } = await reader.query<{ id: string }>({ name: 'last', text: LAST_PROBE });
      return Number(rows[0]?.id ?? 0) >= id;
    };
    await waitUntil('the row is visible', isVisible, { timeoutMs: 60_000, everyMs: POLL_MS });
    took.push(performance.now() - committed);
    await pause(EVERY_MS);
  }
  await Promise.all([writer.end(), reader.end()]);
  return took.slice(WARM_UP);
}
