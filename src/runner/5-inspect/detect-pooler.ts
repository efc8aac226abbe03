import type { Clock } from '../clock.ts';
import type { Session } from '../postgres/session.ts';
import { BACKEND_PID, BEGIN_AND_BACKEND_PID, END_TRANSACTION } from './tables.sql.ts';

/** How long the idle session may wait for its answer before the other gives its backend back. */
const ANSWER_MS = 1_500;

/**
 * Whether a transaction pooler stands between us and the server: two open sessions that were answered by one backend, or one session
 * whose backend changed. The second holds a transaction while the first asks, so that a pool of any size shows itself; a pool of one
 * backend would let the first wait for ever, hence the limit.
 */
export async function detectPooler(options: { session: Session; other: Session; clock: Clock }): Promise<boolean> {
  const { session, other, clock } = options;
  const held = await pid(other, BEGIN_AND_BACKEND_PID);
  const asked = pid(session, BACKEND_PID);
  const answered = new AbortController();
  await Promise.race([asked, clock.sleep(ANSWER_MS, answered.signal)]);
  answered.abort();
  await other.query(END_TRANSACTION);
  const seen = [session.backendPid, await asked, await pid(session, BACKEND_PID)];
  return new Set(seen).size > 1 || seen.includes(held) || seen.includes(other.backendPid);
}

async function pid(session: Session, query: string): Promise<number> {
  const { rows } = await session.query(query);
  return Number(rows[0]?.['pid']);
}
