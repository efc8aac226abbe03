import { failure } from '../../plan/errors.ts';
import { displayName, type QualifiedName } from '../../sql/quote.ts';
import type { Clock } from '../clock.ts';
import { sqlState } from '../postgres/connection-failure.ts';
import type { Session } from '../postgres/session.ts';
import { BEGIN, COMMIT, lockAll, ROLLBACK, takingWrites } from './cutover.sql.ts';

/** Longest time that others queue behind us, and how long we leave them alone between two tries. */
const LOCK_MS = 500;
const PAUSE_MS = 250;
/** lock_not_available, deadlock_detected, query_canceled (the limit on all locks together). */
const BUSY: ReadonlySet<string> = new Set(['55P03', '40P01', '57014']);

export type Locking = {
  readonly session: Session;
  readonly tables: readonly QualifiedName[];
  readonly mode: 'share row exclusive' | 'access exclusive';
  readonly waitMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly waiting: (text: string) => void;
};

/** Does something in one transaction that holds all tables, tried until they are free or the time is over. Whole, or not at all. */
export async function withTables(locking: Locking, work: () => Promise<void>): Promise<void> {
  const { session, tables, mode, clock, signal, waiting } = locking;
  const deadline = clock.now() + locking.waitMs;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await session.query(BEGIN);
      await session.query(lockAll(tables, mode, LOCK_MS));
      await work();
      const { command } = await session.query(COMMIT);
      if (command !== 'COMMIT') throw new Error(`the transaction was not committed: the server answered ${command}`);
      return;
    } catch (error) {
      if (session.isOpen()) await session.query(ROLLBACK).catch(() => session.destroy());
      if (!session.isOpen() || !BUSY.has(sqlState(error) ?? '')) throw error;
      if (clock.now() >= deadline || signal.aborted) throw stillBusy(locking, error);
      if (attempt === 1) waiting(`transactions hold tables in ${session.database}; they are waited for`);
      await clock.sleep(PAUSE_MS * (0.5 + clock.random()), signal);
    }
  }
}

/** Tables that take writes although they were closed, or because they were not. */
export async function openOnes(session: Session, tables: readonly QualifiedName[]): Promise<readonly string[]> {
  const { rows } = await session.query(takingWrites, [namesOf(tables)]);
  return rows.map((row) => displayName({ schema: row['schema'] ?? '', name: row['name'] ?? '' }));
}

export function namesOf(tables: readonly QualifiedName[]): string {
  return JSON.stringify(tables.map(({ schema, name }) => ({ schema, name })));
}

function stillBusy({ session, waitMs, tables }: Locking, cause: unknown): Error {
  return failure('failed', {
    code: 'SAR805',
    where: `database ${session.database}`,
    cause,
    message: `the ${tables.length} tables could not be locked together within ${Math.round(waitMs / 1000)} s: transactions hold some of them`,
    hint: 'Run it again when they are done (pg_stat_activity, pg_locks), or wait longer with --wait.',
  });
}
