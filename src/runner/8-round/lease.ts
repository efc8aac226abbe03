import type { Clock } from '../clock.ts';
import type { StreamName } from '../events.ts';
import type { Session } from '../postgres/session.ts';
import type { Source } from './source.ts';
import { isSilent } from './source.sql.ts';
import { endHolder, leaseHolder, leaseStream } from './target.sql.ts';

/** How long a standby waits before it asks again, and how many times before it asks whether the holder is alive. */
const ASK_AGAIN_MS = 1_000;
const PATIENT_ASKS = 60;

/** A stream that waits for its lease. */
type Waiting = {
  readonly project: string;
  readonly stream: StreamName;
  readonly source: Source;
  readonly target: Session;
  readonly clock: Clock;
  readonly signal: AbortSignal;
};

/**
 * Takes the stream's session advisory lock in its target; it goes with the connection. The lease only spares idle work: what keeps a
 * stream from being applied twice is the watermark row.
 * @returns False when the signal ended the wait.
 */
export async function waitForLease(parts: Waiting, onHeld: (holder: string) => void): Promise<boolean> {
  const { project, stream, target, clock, signal } = parts;
  const key = JSON.stringify([project, stream.sync, stream.source, stream.target]);
  for (let asks = 1; !signal.aborted; asks += 1) {
    const row = (await target.query(leaseStream, [key])).rows[0];
    if (row?.['is_held'] === 't') return true;
    onHeld(await holderText(target, key));
    if (asks > PATIENT_ASKS && (await isHolderSilent(parts))) await target.query(endHolder, [key]);
    await clock.sleep(ASK_AGAIN_MS, signal);
  }
  return false;
}

/**
 * A runner that froze in the middle of a COPY keeps its session: while a statement waits for its client, the server ends it by no
 * timeout, and the kernel answers for the runner. But it reports nothing any more, while one that only waits for a slow source does.
 */
async function isHolderSilent({ source, stream }: Waiting): Promise<boolean> {
  if (!source.isOpen()) return false;
  const row = (await source.query(isSilent, [stream.sync, stream.target])).rows[0];
  return row?.['is_silent'] === 't';
}

/** Who holds the lease, for people. */
export async function holderText(target: Session, key: string): Promise<string> {
  const row = (await target.query(leaseHolder, [key])).rows[0];
  if (!row) return 'another runner';
  return `another runner (${row['application_name']}, backend ${row['pid']}, client ${row['client']})`;
}
