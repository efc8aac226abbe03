import type { DatabaseSchema } from '../../plan/schema-lock.ts';
import { readSchemaHere } from '../5-inspect/read-schema.ts';
import { inTries } from './busy.ts';
import { type Effect, effectsOf } from './effects.ts';
import { beginMigration, rollback } from './migrate.sql.ts';
import { writtenTables } from './members.ts';
import { type Migrating, sessionOf } from './migrating.ts';
import { type CatalogTable, readCatalogTables } from './read-catalog.ts';
import { runStatements } from './statements.ts';

/** What a migration does to each database: found by doing it and taking it back. */
export type Rehearsal = {
  readonly schemas: ReadonlyMap<string, DatabaseSchema>;
  readonly effects: ReadonlyMap<string, readonly Effect[]>;
  /** Tables between masters of which it changes rows. */
  readonly written: ReadonlyMap<string, ReadonlySet<string>>;
  readonly after: ReadonlyMap<string, ReadonlyMap<string, CatalogTable>>;
};

/**
 * Runs the text in a transaction of each of the databases named, reads what has become of them, and rolls back. So a text that fails, or of which
 * no plan can be made, changes nothing anywhere; and what it does need not be guessed from its words.
 */
export async function rehearse(migrating: Migrating, { databases, text }: { databases: ReadonlySet<string>; text: string }): Promise<Rehearsal> {
  const schemas = new Map<string, DatabaseSchema>();
  const effects = new Map<string, readonly Effect[]>();
  const written = new Map<string, ReadonlySet<string>>();
  const after = new Map<string, ReadonlyMap<string, CatalogTable>>();
  for (const [database, names] of migrating.schemas) {
    const session = sessionOf(migrating, database);
    await inTries(migrating, database, async () => {
      await session.query(beginMigration(migrating.context.ddlLockTimeoutMs));
      const before = await readCatalogTables(session, names);
      if (databases.has(database)) await runStatements(session, text);
      const now = await readCatalogTables(session, names);
      schemas.set(database, await readSchemaHere(session, names));
      after.set(database, now);
      effects.set(database, effectsOf(before, now));
      written.set(database, new Set(databases.has(database) ? await writtenTables(session, migrating.generated) : []));
      await session.query(rollback);
    });
  }
  return { schemas, effects, written, after };
}
