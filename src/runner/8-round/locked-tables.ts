import type { QualifiedName } from '../../sql/quote.ts';
import type { Clock } from '../clock.ts';
import { startBeating } from './heartbeat.ts';
import { makeMutex } from '../mutex.ts';
import { sqlState } from '../postgres/connection-failure.ts';
import type { Session } from '../postgres/session.ts';
import type { SourcePool } from './source-pool.ts';
import { beginReading, endReading, importSnapshot, lockTables, stillLocked } from './source.sql.ts';

/**
 * Tables that nobody can truncate or rewrite, by a lock that is older than the snapshot which they are read in. A round that reads for
 * seconds would otherwise come too late, again and again, for a table that is emptied every second.
 *
 * All rows of such a round are read here: a second connection of ours could wait behind an application that waits for this one, which
 * the server cannot see.
 */
export type LockedTables = {
  /** The connection, which from now on shows the snapshot, until it is put down. */
  take(snapshot: () => Promise<string>): Promise<Session>;
  /** False where it is another connection. */
  putDown(session: Session): boolean;
  release(): Promise<void>;
};

/** No such table or schema, not a table, no right to it as a whole (rights to single columns let it be read all the same). */
const MAY_NOT: ReadonlySet<string> = new Set(['42P01', '3F000', '42809', '42501']);

/** Null where a table is gone or may not be locked: then it is read as it comes. */
export async function lockForReading(pool: SourcePool, tables: readonly QualifiedName[], clock: Clock): Promise<LockedTables | null> {
  const session = await pool.acquire();
  try {
    await session.batch([beginReading, { text: lockTables(tables) }]);
  } catch (error) {
    session.destroy();
    if (!MAY_NOT.has(sqlState(error) ?? '')) throw error;
    return null;
  }
  const state: { shown: Promise<unknown> | null; isTaken: boolean } = { shown: null, isTaken: false };
  const show = async (snapshot: () => Promise<string>): Promise<unknown> => session.batch([{ text: importSnapshot(await snapshot()) }]);
  const oneByOne = makeMutex();
  const endBeating = startBeating(session, clock, () => oneByOne(async () => (state.isTaken ? null : session.query(stillLocked))));
  return {
    take: (snapshot) =>
      oneByOne(async () => {
        state.isTaken = true;
        state.shown ??= show(snapshot);
        await state.shown;
        return session;
      }),
    putDown: (other) => {
      if (other === session) state.isTaken = false;
      return other === session;
    },
    release: async () => {
      await endBeating();
      if (!session.isOpen()) return;
      await session.query(endReading);
      pool.giveBack(session);
    },
  };
}
