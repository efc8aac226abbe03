import type { Clock } from '../clock.ts';
import type { StreamName } from '../events.ts';
import type { Session } from '../postgres/session.ts';
import { leaseHolder, leaseStream } from './target.sql.ts';

/** How long a standby waits before it asks again. */
const ASK_AGAIN_MS = 1_000;

/**
 * Takes the stream's session advisory lock in its target; it goes with the connection. The lease only spares idle work: what keeps a
 * stream from being applied twice is the watermark row.
 * @returns False when the signal ended the wait.
 */
export async function waitForLease(
  parts: { readonly project: string; readonly stream: StreamName; readonly target: Session; readonly clock: Clock; readonly signal: AbortSignal },
  onHeld: (holder: string) => void,
): Promise<boolean> {
  const { project, stream, target, clock, signal } = parts;
  const key = JSON.stringify([project, stream.sync, stream.source, stream.target]);
  while (!signal.aborted) {
    const row = (await target.query(leaseStream, [key])).rows[0];
    if (row?.['is_held'] === 't') return true;
    onHeld(await holderText(target, key));
    await clock.sleep(ASK_AGAIN_MS, signal);
  }
  return false;
}

/** Who holds the lease, for people. */
export async function holderText(target: Session, key: string): Promise<string> {
  const row = (await target.query(leaseHolder, [key])).rows[0];
  if (!row) return 'another runner';
  return `another runner (${row['application_name']}, backend ${row['pid']}, client ${row['client']})`;
}
