import { orDestroy } from '../postgres/or-destroy.ts';
import type { Session } from '../postgres/session.ts';
import { nothingAsSeen } from './changed-tables/changed-tables.sql.ts';
import { refuseChanged } from './changed-tables/read-too-late.ts';
import type { LockedTables } from './locked-tables.ts';
import type { SourcePool } from './source-pool.ts';
import { beginReading, endReading, importSnapshot } from './source.sql.ts';
import type { Result } from '../postgres/statement.ts';

type Parts = { readonly name: string; readonly pool: SourcePool; readonly locked: LockedTables | null };

/** Connections in a reading's snapshot, for COPY. */
export type BulkReader = {
  /** A connection of its own in the same snapshot. The caller gives it back by ending its transaction. */
  openBulk(): Promise<Session>;
  /** Fails where what was read is not what the snapshot shows, because a table was altered in between. */
  giveBackBulk(session: Session): Promise<void>;
};

/** One for each COPY, or the one that has locked the tables for all of them in turn. */
export function bulkReader({ name, pool, locked }: Parts, exported: () => Promise<string>): BulkReader {
  return {
    openBulk: async () => (locked === null ? importInto(pool, await exported()) : locked.take(exported)),
    giveBackBulk: async (bulk) => {
      if (!bulk.isOpen()) return;
      const altered = await bulk.batch([nothingAsSeen]).catch(whateverFailed);
      if (!bulk.isOpen()) return;
      if (!locked?.putDown(bulk)) {
        await bulk.query(endReading);
        pool.giveBack(bulk);
      }
      refuseChanged(name, altered[0]);
    },
  };
}

/** A connection of the pool, in a transaction that shows the snapshot. */
export async function importInto(pool: SourcePool, snapshot: string): Promise<Session> {
  const bulk = await pool.acquire();
  return orDestroy(bulk, async () => {
    await bulk.batch([beginReading, { text: importSnapshot(snapshot) }]);
    return bulk;
  });
}

/** The transaction has failed before: whoever read has had the error. */
function whateverFailed(): readonly Result[] {
  return [];
}
