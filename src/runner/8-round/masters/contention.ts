import { failure } from '../../../plan/errors.ts';
import { failureText } from '../../postgres/error-text.ts';
import { ReadTooLate } from '../changed-tables/read-too-late.ts';
import { isExcluded, MemberError, serverFields, stateOf, tableErrorOf } from './member-error.ts';
import type { MastersRun, Place } from './masters-run.ts';

/** Rounds in a row that met a change by somebody else before the tables are locked against it. */
const TRIES_WITHOUT_LOCK = 3;
/** Rounds for which the tables stay locked from their beginning once that was needed. */
const LOCKED_ROUNDS = 32;
const RETRY_MS = 15;
/** A round that takes so long is not begun again without locks: applications would spoil it once more. */
const LONG_ROUND_MS = 300;
/** How long at most a round waits before it asks again whether another one of the ring has ended, and how long those that follow each other leave to others. */
const ELSEWHERE_MS = 100;
/** Who may not lock is not asked to with every round. */
const LOCK_AGAIN_MS = 60_000;

/** Somebody changed what the round was about to read or write: it is made again, after some times with the tables locked. */
export async function tryAgain(run: MastersRun, place: Place, error: unknown): Promise<'again'> {
  const { clock, signal, log } = run.options;
  place.contended += 1;
  const isLong = clock.now() - place.began > LONG_ROUND_MS;
  if (clock.now() < place.lockAgain) {
    place.lock = new Set();
  } else if (error instanceof ReadTooLate) {
    place.keep = new Set([...place.keep, ...place.touched]);
  } else if (isLong || place.contended >= TRIES_WITHOUT_LOCK) {
    place.lock = new Set([...(place.locked > 0 ? place.lock : []), ...place.touched]);
    place.locked = LOCKED_ROUNDS;
  }
  log({
    kind: 'contention',
    sync: run.name,
    tries: place.contended,
    isLocking: place.locked > 0,
    error: error instanceof Error ? error.message : String(error),
  });
  await clock.sleep(RETRY_MS * clock.random() * place.contended, signal);
  return 'again';
}

/**
 * A unique index or an exclusion of a table that was locked against everybody else from the round's beginning: nobody's write of that moment
 * is in the way, but a row that will be there the next time, too. A trigger of the table may have written into another one, which was not locked.
 */
export function isStandingClash({ sync }: MastersRun, place: Place, error: unknown): boolean {
  const found = tableErrorOf(error);
  if (found === null || place.locked === 0 || !place.lock.has(found.table) || !isExcluded(error)) return false;
  const { schema, table } = serverFields(found.cause);
  const target = sync.tables[found.table]?.target;
  return target !== undefined && target.schema === schema && target.name === table;
}

/**
 * The runner's role was let in with the right to write the tables, of which any is the right to lock them, and has lost it since. To ask for the lock again and
 * again would leave the member out, with all of its tables: rounds go on without it, and if rows of the table are not taken either, then
 * that table stops alone. The lock is tried again later.
 */
export function goesWithoutLocks(run: MastersRun, place: Place, error: unknown): boolean {
  const isLocking = place.locked > 0 || place.keep.size > 0;
  if (!isLocking || !(error instanceof MemberError) || stateOf(error) !== '42501') return false;
  Object.assign(place, { locked: 0, lock: new Set(), keep: new Set(), lockAgain: run.options.clock.now() + LOCK_AGAIN_MS });
  const told = failure('refused', {
    code: 'SAR408',
    where: `database ${run.sync.members[error.member] ?? ''}`,
    message: `the runner may not lock a table that applications keep changing: ${failureText(error.cause)}. Rounds go on without the lock, and may be made again many times`,
    hint: 'Give the role SELECT, INSERT, UPDATE, DELETE on the whole table again; the lock is tried again within a minute.',
  });
  run.progress.failed([error.member], told, 0);
  return true;
}

/** Another sync of the ring had its round at a member: nobody is in the way of anybody, so nothing is locked, and this is no failure. */
export async function comeAfter({ options: { clock, signal } }: MastersRun, place: Place): Promise<'again'> {
  const longest = Math.min(ELSEWHERE_MS, 5 * 2 ** place.elsewhere);
  place.elsewhere += 1;
  await clock.sleep(1 + longest * clock.random(), signal);
  return 'again';
}

/** One sync of a ring that always has something to carry leaves room for the others. */
export function pauseForOthers({ sync, options: { clock } }: MastersRun, { inRow }: Place, lastedMs: number): number {
  return sync.ring === undefined || inRow < 2 ? 0 : Math.min(ELSEWHERE_MS, 5 + lastedMs) * clock.random();
}
