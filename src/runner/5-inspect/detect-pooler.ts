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
export async function detectPooler(options: PooledSessions): Promise<boolean> {
  return (await sharesBackends(options)) || (await pid(options.session, BACKEND_PID)) !== options.session.backendPid;
}

/** Two sessions of one client; `other` is closed in the end. */
export type PooledSessions = { readonly session: Session; readonly other: Session; readonly clock: Clock };

/** As far as two answers of each tell: the caller has to look at the backend of a later one. */
export async function sharesBackends({ session, other, clock }: PooledSessions): Promise<boolean> {
  try {
    const held = await pid(other, BEGIN_AND_BACKEND_PID);
    const asked = pid(session, BACKEND_PID);
    const answered = new AbortController();
    const first = await Promise.race([asked, clock.sleep(ANSWER_MS, answered.signal)]);
    answered.abort();
    const isDirect = (answer: number): boolean => answer === session.backendPid && other.backendPid === held && answer !== held;
    // A server ends the transaction of a client that leaves; a pooler may keep its backend.
    if (first === undefined || !isDirect(first)) await other.query(END_TRANSACTION);
    const answer = await asked;
    await other.close();
    return !isDirect(answer);
  } catch (error) {
    other.destroy();
    throw error;
  }
}

async function pid(session: Session, query: string): Promise<number> {
  const { rows } = await session.query(query);
  return Number(rows[0]?.['pid']);
}
