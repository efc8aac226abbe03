import type { StreamName } from '../events.ts';
import type { Session } from '../postgres/session.ts';
import { writeAlone } from './write-alone.ts';
import { readUnverified, setUnverified, setVerified } from './target.sql.ts';

/**
 * A source that comes back with another history (failover to a standby that lagged, restore to a new timeline) may lack rows that
 * its target holds, and no change says so. Until the two were compared the stream goes on, but is not called healthy. The mark
 * stands in the target, which is the side that remembers.
 */
export async function markUnverified(target: Session, stream: StreamName, reason: string): Promise<void> {
  await writeAlone(target, { text: setUnverified, values: [stream.sync, stream.source, reason] });
}

/** Since when the stream's target waits for a comparison; null when it does not. */
export async function unverifiedSince(target: Session, stream: StreamName): Promise<string | null> {
  return (await target.query(readUnverified, [stream.sync, stream.source])).rows[0]?.['since'] ?? null;
}

/**
 * For `sarrio verify`, once it has found every table of the stream equal, or made it so. `since` is what `unverifiedSince` said before
 * the comparison began: a history that broke meanwhile is not forgiven by it. Returns whether a mark was taken away.
 */
export async function markVerified(target: Session, stream: StreamName, since: string): Promise<boolean> {
  return (await writeAlone(target, { text: setVerified, values: [stream.sync, stream.source, since] })) === 1;
}
