import { holdCopy, openCopy } from '../8-round/full-copy/full-copy.sql.ts';
import { textArray } from '../postgres/text-array.ts';
import { inTries } from './busy.ts';
import { loseCapture } from './members.sql.ts';
import { beginMigration, commit, restTables } from './migrate.sql.ts';
import { type Migrating, sessionOf } from './migrating.ts';
import { copiesInto, masterSyncsAt } from './members.ts';

/** Tables by the database that they rest, or are closed, in. */
export type TablesAt = ReadonlyMap<string, ReadonlySet<string> | readonly string[]>;

/**
 * From now on no round writes to the tables: it locks the row that says so first. Waits for rounds under way. The captures of those in `closed` will be
 * other ones afterwards, over the same rows.
 */
export async function restAll(migrating: Migrating, resting: TablesAt, { point = 'resting', closed = new Map() as TablesAt } = {}): Promise<void> {
  for (const [database, tables] of resting) {
    await inTries(migrating, database, async () => {
      const session = sessionOf(migrating, database);
      await session.query(beginMigration(migrating.context.ddlLockTimeoutMs));
      await session.query(restTables, [textArray([...tables])]);
      const lost = [...(closed.get(database) ?? [])];
      if (lost.length > 0) await session.query(loseCapture, [textArray(masterSyncsAt(migrating.generated.plan, database)), textArray(lost)]);
      await session.query(commit);
    });
    await migrating.context.failpoint(`migrate.${database}.${point}`);
  }
}

/**
 * No full copy of the tables is begun any more: whoever begins one looks at the records, holding the row that is held here. Waits for those under way,
 * in which old rows and rows of another shape may stand side by side.
 */
export async function restCopies(migrating: Migrating, resting: TablesAt): Promise<void> {
  for (const [database, tables] of resting) {
    const touched = new Set(tables);
    const copies = copiesInto(migrating.generated.plan, database).filter((copy) => copy.tables.some((table) => touched.has(table)));
    if (copies.length === 0) continue;
    await inTries(migrating, database, async () => {
      const session = sessionOf(migrating, database);
      await session.query(beginMigration(migrating.context.ddlLockTimeoutMs));
      for (const { sync, source } of copies) {
        await session.query(openCopy, [sync, source]);
        await session.query(holdCopy, [sync, source]);
      }
      await session.query(commit);
    });
  }
}
