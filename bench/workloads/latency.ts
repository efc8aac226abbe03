import type { Client } from 'pg';
import { pause, waitUntil } from '../../test/support/wait.ts';
import { mustBeEqual } from '../harness/check.ts';
import { withFollower } from '../harness/following.ts';
import type { Databases } from '../harness/peer.ts';
import { percentile } from '../harness/statistics.ts';
import { LAST_PROBE, PROBE, TABLES } from '../harness/tables.sql.ts';
import { MEMORY, memoryOf, type Workload } from '../harness/workload.ts';
import { bucardo } from '../peers/bucardo.ts';
import { native } from '../peers/native.ts';
import { sarrio } from '../peers/sarrio.ts';

const TRANSACTIONS = 2_000;
const EVERY_MS = 10;
/** The first two seconds are for caches and compilers. */
export const WARM_UP = 200;
const POLL_MS = 1;

/** One row in each transaction, a hundred a second: from just before it is sent, its commit included, until a poll of the target sees it. */
export const latency: Workload = {
  name: 'latency',
  title: 'latency: one row at 100 tx/s, commit included',
  peers: [native, sarrio, bucardo],
  lines: [
    { measure: 'p50', title: 'p50, ms', goal: { to: 'native', atMost: 2 } },
    { measure: 'p99', title: 'p99, ms', goal: { to: 'native', atMost: 3 } },
    { measure: 'max', title: 'max, ms' },
    MEMORY,
  ],
  prepare: (database) => database.script(TABLES),
  measure: (peer, databases, scale) =>
    withFollower(peer, databases, async (follower) => {
      const took = await probe(databases, WARM_UP + Math.round(TRANSACTIONS * scale));
      const peak = await follower.peakMb();
      await mustBeEqual(databases, 'public.probe');
      return { p50: percentile(took, 0.5), p99: percentile(took, 0.99), max: Math.max(...took), ...memoryOf(peak) };
    }),
};

/** Milliseconds of each transaction after the warm-up, which is part of `count`. */
export async function probe({ source, target }: Databases, count: number): Promise<readonly number[]> {
  const [writer, reader] = await Promise.all([source.connect(), target.connect()]);
  const seen: number[] = [];
  const polling = poll(reader, count, seen);
  const sent: number[] = [];
  const start = performance.now();
  for (let id = 1; id <= count; id += 1) {
    await pause(Math.max(0, start + id * EVERY_MS - performance.now()));
    sent.push(performance.now());
    await writer.query({ name: 'probe', text: PROBE, values: [id] });
  }
  await waitUntil('every row is visible', () => seen.length === count, { timeoutMs: 60_000 });
  await polling;
  await Promise.all([writer.end(), reader.end()]);
  return sent.map((at, index) => (seen[index] ?? Number.NaN) - at).slice(WARM_UP);
}

/** One writer sends one row after the other, so that the largest number visible tells of all before it. */
async function poll(reader: Client, count: number, seen: number[]): Promise<void> {
  while (seen.length < count) {
    const { rows } = await reader.query<{ id: string }>({ name: 'last', text: LAST_PROBE });
    const now = performance.now();
    for (let id = seen.length + 1; id <= Number(rows[0]?.id ?? 0); id += 1) seen.push(now);
    await pause(POLL_MS);
  }
}
