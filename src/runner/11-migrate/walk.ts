import type { Generated } from '../../plan/generated-files.ts';
import { inTries } from './busy.ts';
import { drained } from './drain.ts';
import { followKeys, installCaptures } from './follow-captures.ts';
import { asOurselves, beginMigration, commit, keepWritersOut, markDone, markUndone, renameCopy, restTables } from './migrate.sql.ts';
import { type Migrating, sessionOf } from './migrating.ts';
import { tellAll } from './tell-all.ts';
import { effectsOf } from './effects.ts';
import { readCatalogTables } from './read-catalog.ts';
import { runStatements } from './statements.ts';
import { textArray } from '../postgres/text-array.ts';

export type Walk = {
  readonly text: string;
  readonly next: Generated;
  /** The databases in which the text still has to run, in the order of safety. */
  readonly order: readonly string[];
  /** Tables that rest, by the database that they rest in. */
  readonly resting: ReadonlyMap<string, readonly string[]>;
  /** By source: tables of which something goes that changes on their way speak of. */
  readonly takes: ReadonlyMap<string, ReadonlySet<string>>;
  readonly marks: 'done' | 'undone';
};

/** From now on no round writes to the tables: it locks the row that says so first. Waits for rounds under way. */
export async function restAll(migrating: Migrating, resting: Walk['resting'], point = 'resting'): Promise<void> {
  for (const [database, tables] of resting) {
    await inTries(migrating, database, async () => {
      const session = sessionOf(migrating, database);
      await session.query(beginMigration(migrating.context.ddlLockTimeoutMs));
      await session.query(restTables, [textArray(tables)]);
      await session.query(commit);
    });
    await migrating.context.failpoint(`migrate.${database}.${point}`);
  }
}

/** Runs the text in each database: with what captures need, and the record of it, in one transaction. */
export async function walk(migrating: Migrating, steps: Walk): Promise<void> {
  for (const database of steps.order) {
    migrating.context.signal.throwIfAborted();
    await inTries(migrating, database, () => runIn(migrating, database, steps));
    migrating.say(`${database}: ${steps.marks}`);
    await migrating.context.failpoint(`migrate.${database}.committed`);
  }
}

/** A try before, or a command that was killed, may have left the tables resting: what came since has to arrive first. */
async function letArrive(migrating: Migrating, resting: Walk['resting']): Promise<void> {
  await restAll(migrating, new Map([...resting.keys()].map((database) => [database, []])), 'arriving');
  await tellAll(migrating, migrating.generated);
}

async function runIn(migrating: Migrating, database: string, { text, next, resting, takes, marks }: Walk): Promise<void> {
  const { context, generated, id, schemas } = migrating;
  const session = sessionOf(migrating, database);
  const taken = takes.get(database) ?? new Set<string>();
  if (taken.size > 0) await letArrive(migrating, resting);
  await session.query(beginMigration(context.ddlLockTimeoutMs));
  if (taken.size > 0) {
    await session.query(keepWritersOut([...taken].sort()));
    await context.failpoint(`migrate.${database}.locked`);
    await drained(migrating, database, taken);
    // Nothing of them is on its way any more, and nothing comes: from here on they rest, also where this database is a target itself.
    await restAll(migrating, new Map([...resting].filter(([target]) => target !== database)));
    if (resting.has(database)) await session.query(restTables, [textArray(resting.get(database) ?? [])]);
  }
  const names = schemas.get(database) ?? [];
  const before = await readCatalogTables(session, names);
  await runStatements(session, text);
  await session.query(asOurselves);
  const after = await readCatalogTables(session, names);
  await followKeys(session, generated, { before, after });
  for (const { table, renamedTo } of effectsOf(before, after)) if (renamedTo !== null) await session.query(renameCopy, [table, renamedTo]);
  await installCaptures(session, next, context.ddlLockTimeoutMs);
  await session.query(marks === 'done' ? markDone : markUndone, [id]);
  await context.failpoint(`migrate.${database}.before-commit`);
  const { command } = await session.query(commit);
  if (command !== 'COMMIT') throw new Error(`the transaction was not committed: the server answered ${command}`);
}
