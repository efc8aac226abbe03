import type { Generated } from '../../plan/generated-files.ts';
import { displayName } from '../../sql/quote.ts';
import { textArray } from '../postgres/text-array.ts';
import { inTries } from './busy.ts';
import { drained } from './drain.ts';
import { masterSyncs, type TableAt } from './members.ts';
import { captureOid, closeTables, findCapture, lostCaptures, openTables } from './members.sql.ts';
import { beginMigration, commit } from './migrate.sql.ts';
import { type Migrating, sessionOf } from './migrating.ts';
import { restAll, type TablesAt } from './rest.ts';
import { tellAll } from './tell-all.ts';

/**
 * Tables between masters whose changes on their way could not be read any more afterwards. Applications are kept out of them at all members, until
 * every member has applied what all others had; then they rest. Each member lets applications in again in the very transaction of the migration there, so
 * that, whatever ends the command, no change is ever captured by what was before while another member has what comes after. Does it take
 * too long, applications are let in again meanwhile.
 */
export async function settleMembers(migrating: Migrating, closed: TablesAt, resting: TablesAt): Promise<void> {
  const [first] = closed.keys();
  if (first === undefined) return;
  await inTries(migrating, first, async () => {
    await findCaptures(migrating, migrating.generated);
    await wake(migrating, resting);
    try {
      for (const [database, tables] of closed) await close(migrating, database, [...tables]);
      await eachDrained(migrating, closed, { drainMs: migrating.drainMs, isResting: false });
      await restAll(migrating, resting, { closed });
      // A round that was under way while they were counted has ended by now, and no other one touches them.
      await eachDrained(migrating, closed, { drainMs: 0, isResting: true });
    } catch (error) {
      await openAll(migrating);
      throw error;
    }
  });
}

/** A try before, or a command that was killed, may have left the tables resting: what came since has to arrive first. */
export async function wake(migrating: Migrating, resting: TablesAt, rests: (at: TableAt) => boolean = () => false): Promise<void> {
  const left = [...resting].map(([database, tables]) => [database, [...tables].filter((table) => rests({ database, table }))] as const);
  await restAll(migrating, new Map(left), { point: 'arriving' });
  await tellAll(migrating, migrating.generated);
}

/** The tables go on with the captures that stand now, as far as they were to have other ones. */
export async function findCaptures(migrating: Migrating, { plan }: Generated): Promise<void> {
  const syncs = new Map(masterSyncs(plan).map(({ name, sync }) => [name, sync]));
  for (const target of new Set([...syncs.values()].flatMap(({ members }) => members))) {
    const session = sessionOf(migrating, target);
    for (const row of (await session.query(lostCaptures)).rows) {
      const [sync = '', source = '', relation = ''] = [row['sync'] ?? '', row['source'] ?? '', row['relation'] ?? ''];
      const capture = plan.databases[source]?.captures.find(({ table }) => displayName(table) === relation);
      if (!syncs.has(sync) || capture === undefined) continue;
      const oid = (await sessionOf(migrating, source).query(captureOid, [capture.delta])).rows[0]?.['oid'];
      if (oid) await session.query(findCapture, [sync, source, relation, oid]);
    }
  }
}

/** Applications write everywhere again. */
export async function openAll(migrating: Migrating): Promise<void> {
  for (const database of migrating.databases) {
    await inTries(migrating, database, async () => {
      const session = sessionOf(migrating, database);
      await session.query(beginMigration(migrating.context.ddlLockTimeoutMs));
      const text = (await session.query(openTables)).rows[0]?.['text'];
      if (text) await session.query(text);
      await session.query(commit);
    });
  }
}

async function close(migrating: Migrating, database: string, tables: readonly string[]): Promise<void> {
  await inTries(migrating, database, async () => {
    const session = sessionOf(migrating, database);
    await session.query(beginMigration(migrating.context.ddlLockTimeoutMs));
    const text = (await session.query(closeTables, [textArray(tables)])).rows[0]?.['text'];
    if (text) await session.query(text);
    await session.query(commit);
  });
  await migrating.context.failpoint(`migrate.${database}.closed`);
}

async function eachDrained(migrating: Migrating, closed: TablesAt, how: { readonly drainMs: number; readonly isResting: boolean }): Promise<void> {
  const deadline = migrating.context.clock.now() + how.drainMs;
  for (const [source, tables] of closed) {
    await drained(migrating, { source, tables: new Set(tables), isResting: how.isResting, deadline, isInTransaction: false });
  }
}
