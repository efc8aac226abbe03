import { waitUntil } from '../../test/support/wait.ts';
import type { Databases, Follower, Peer } from './peer.ts';
import { CHECKPOINT, SENTINEL, SENTINEL_ROW } from './tables.sql.ts';

/** Lets the peer follow the source during `work`; it starts when a first row has come through and both servers have settled. */
export async function withFollower<T>(peer: Peer, databases: Databases, work: (follower: Follower) => Promise<T>): Promise<T> {
  const follower = await peer.follow(databases);
  try {
    if (peer.name === 'none') await databases.source.query(SENTINEL, [0]);
    else await sentinel(databases, 0);
    await settle(databases);
    return await work(follower);
  } finally {
    await follower.stop();
  }
}

/** Until the target shows the row; the same poll for every peer. */
export async function waitFor({ target }: Databases, row: string, values: readonly unknown[] = []): Promise<void> {
  await waitUntil('the row is visible on the target', async () => (await target.query(row, values)).length > 0, { timeoutMs: 600_000, everyMs: 5 });
}

/** Until everything committed so far is visible on the target. */
export async function sentinel(databases: Databases, id: number): Promise<void> {
  await databases.source.query(SENTINEL, [id]);
  await waitFor(databases, SENTINEL_ROW, [id]);
}

/** No measurement pays for another one's dirty pages. */
export async function settle({ source, target }: Databases): Promise<void> {
  await Promise.all([source.query(CHECKPOINT), target.query(CHECKPOINT)]);
}

/** Seconds that something takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}
