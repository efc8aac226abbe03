import type { Generated } from '../../plan/generated-files.ts';
import { displayName } from '../../sql/quote.ts';
import type { Session } from '../postgres/session.ts';
import { textArray } from '../postgres/text-array.ts';
import { inTries } from './busy.ts';
import { wake } from './close-members.ts';
import { drained } from './drain.ts';
import { type Effect, effectsOf } from './effects.ts';
import { followKeys, installCaptures } from './follow-captures.ts';
import { isIn, masterSyncsAt, syncsOf, writtenTables } from './members.ts';
import { captureOid, forgetHeldName, holdRenamed, markMember, openTables, renameConflicts, renameHeld, renameParked } from './members.sql.ts';
import { asOurselves, beginMigration, commit, keepWritersOut, markDone, markUndone, renameCopy, restTables } from './migrate.sql.ts';
import { type Migrating, sessionOf } from './migrating.ts';
import { beginNewTables } from './new-tables.ts';
import { readCatalogTables } from './read-catalog.ts';
import { restAll } from './rest.ts';
import { runStatements } from './statements.ts';

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

/** Runs the text in each database: with what captures need, and the record of it, in one transaction. */
export async function walk(migrating: Migrating, steps: Walk): Promise<void> {
  for (const database of steps.order) {
    migrating.context.signal.throwIfAborted();
    await inTries(migrating, database, () => runIn(migrating, database, steps));
    migrating.say(`${database}: ${steps.marks}`);
    await migrating.context.failpoint(`migrate.${database}.committed`);
  }
}

async function runIn(migrating: Migrating, database: string, { text, next, resting, takes, marks }: Walk): Promise<void> {
  const { context, generated, id, schemas } = migrating;
  const session = sessionOf(migrating, database);
  const taken = takes.get(database) ?? new Set<string>();
  if (taken.size > 0) await wake(migrating, resting, (at) => isIn(generated.plan, 'multi-master', at));
  await session.query(beginMigration(context.ddlLockTimeoutMs));
  if (taken.size > 0) {
    await session.query(keepWritersOut([...taken].sort()));
    await context.failpoint(`migrate.${database}.locked`);
    await drained(migrating, { source: database, tables: taken, isResting: false, deadline: context.clock.now() + migrating.drainMs, isInTransaction: true });
    // Nothing of them is on its way any more, and nothing comes: from here on they rest, also where this database is a target itself.
    await restAll(migrating, new Map([...resting].filter(([target]) => target !== database)));
    if (resting.has(database)) await session.query(restTables, [textArray(resting.get(database) ?? [])]);
  }
  const opening = (await session.query(openTables)).rows[0]?.['text'];
  if (opening) await session.query(opening);
  const names = schemas.get(database) ?? [];
  const before = await readCatalogTables(session, names);
  await runStatements(session, text);
  await session.query(asOurselves);
  const after = await readCatalogTables(session, names);
  const doubtOwnChanges = await ownChangesAt(migrating, database);
  await followKeys(session, generated, { before, after });
  const effects = effectsOf(before, after);
  for (const effect of effects) await followNames(session, generated, effect);
  await installCaptures(session, next, context.ddlLockTimeoutMs);
  await doubtOwnChanges();
  await beginNewTables(migrating, next, database, effects);
  await session.query(marks === 'done' ? markDone : markUndone, [id]);
  await context.failpoint(`migrate.${database}.before-commit`);
  const { command } = await session.query(commit);
  if (command !== 'COMMIT') throw new Error(`the transaction was not committed: the server answered ${command}`);
}

/** What is written down of a table speaks of it, and of its columns, by the names of now. */
async function followNames(session: Session, { plan }: Generated, { table, renamedTo, renamedColumns }: Effect): Promise<void> {
  if (renamedTo === null && renamedColumns.length === 0) return;
  const now = renamedTo ?? table;
  if (renamedTo !== null) await session.query(renameCopy, [table, now]);
  if (masterSyncsAt(plan, session.database).length === 0) return;
  const names = JSON.stringify(Object.fromEntries(renamedColumns));
  for (const records of [renameParked, renameConflicts]) await session.query(records, [table, now, names]);
  if (renamedTo === null) return;
  await session.query(forgetHeldName, [now]);
  await session.query(renameHeld, [table, now]);
  await session.query(holdRenamed, [textArray(syncsOf(plan, { database: session.database, table })), now]);
}

/**
 * What the statements themselves changed in a table whose capture is made anew travels to nobody: each member has done it for itself. To be asked before
 * captures follow; what it returns, after.
 */
async function ownChangesAt({ generated, sessions, file }: Migrating, database: string): Promise<() => Promise<void>> {
  const session = sessionOf({ sessions }, database);
  const written = new Set(await writtenTables(session, generated));
  const captures = (generated.plan.databases[database]?.captures ?? []).filter(({ table }) => written.has(displayName(table)));
  const oidOf = async (delta: string): Promise<string | undefined> => (await session.query(captureOid, [delta])).rows[0]?.['oid'] ?? undefined;
  const found: { readonly name: string; readonly delta: string; readonly oid: string | undefined }[] = [];
  for (const { table, delta } of captures) found.push({ name: displayName(table), delta, oid: await oidOf(delta) });
  return async () => {
    for (const { name, delta, oid } of found) {
      if ((await oidOf(delta)) === oid) continue;
      await session.query(markMember, [textArray(masterSyncsAt(generated.plan, database)), `${file} wrote rows of ${name} in each database by itself`]);
    }
  };
}
