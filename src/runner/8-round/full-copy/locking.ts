import type { Clock } from '../../clock.ts';
import { sqlState } from '../../postgres/connection-failure.ts';
import type { Session } from '../../postgres/session.ts';
import { setLockTimeout } from './full-copy.sql.ts';

/** The first try waits for so long, each further one twice as long: whoever comes after us waits as long as we do. */
const FIRST_WAIT_MS = 10;
const FIRST_PAUSE_MS = 100;
const LAST_PAUSE_MS = 2_000;
const TRIES = 14;

export type Locking = {
  readonly target: Session;
  /** The longest that a try may wait. */
  readonly lockTimeoutMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Undoes a try that failed, so that the locks it has got are free again. */
  readonly undo: () => Promise<void>;
  readonly onWait: (error: string, inMs: number) => void;
};

/** Does what needs locks in short tries with pauses between them, in which other sessions get theirs. @throws The last try's error. */
export async function tryLocking<T>(locking: Locking, work: () => Promise<T>): Promise<T> {
  const { target, lockTimeoutMs, clock, signal, undo, onWait } = locking;
  for (let tries = 0; ; tries += 1) {
    try {
      const { text, values } = setLockTimeout(Math.min(lockTimeoutMs, FIRST_WAIT_MS * 2 ** tries));
      await target.query(text, values);
      return await work();
    } catch (error) {
      if (!isLockFailure(error) || tries + 1 >= TRIES || signal.aborted) throw error;
      await undo();
      const pause = Math.min(FIRST_PAUSE_MS * 2 ** tries, LAST_PAUSE_MS) * (0.5 + clock.random() / 2);
      onWait(error instanceof Error ? error.message : String(error), pause);
      await clock.sleep(pause, signal);
    }
  }
}

/** The lock was not to be had in time, or two sessions waited for each other. */
function isLockFailure(error: unknown): boolean {
  const state = sqlState(error);
  return state === '55P03' || state === '40P01';
}
