import type { Generated } from '../../plan/generated-files.ts';
import type { Plan, PlanMultiMaster, PlanSync } from '../../plan/plan.ts';
import { displayName } from '../../sql/quote.ts';
import type { Session } from '../postgres/session.ts';
import { ownChanges } from './members.sql.ts';

export type NamedMasters = { readonly name: string; readonly sync: PlanMultiMaster };

export function masterSyncs(plan: Plan): readonly NamedMasters[] {
  return Object.entries(plan.syncs).flatMap(([name, sync]) => (sync.mode === 'multi-master' ? [{ name, sync }] : []));
}

/** Multi-master syncs that a database is a member of, by name. */
export function masterSyncsAt(plan: Plan, database: string): readonly string[] {
  return masterSyncs(plan).flatMap(({ name, sync }) => (sync.members.includes(database) ? [name] : []));
}

/** Those of them that the table takes part in. */
export function syncsOf(plan: Plan, { database, table }: TableAt): readonly string[] {
  const isOf = ({ sync }: NamedMasters): boolean => sync.members.includes(database) && sync.tables.some(({ target }) => displayName(target) === table);
  return masterSyncs(plan).flatMap((named) => (isOf(named) ? [named.name] : []));
}

export type TableAt = { readonly database: string; readonly table: string };

/** Whether a table of a database takes part in a sync of a mode, at either end. */
export function isIn(plan: Plan, mode: PlanSync['mode'], { database, table }: TableAt): boolean {
  return Object.values(plan.syncs).some(
    (sync) =>
      sync.mode === mode &&
      sync.tables.some(
        ({ source, target }) =>
          (sourcesOf(sync).includes(database) && displayName(source) === table) || (targetsOf(sync).includes(database) && displayName(target) === table),
      ),
  );
}

function sourcesOf(sync: PlanSync): readonly string[] {
  return sync.mode === 'multi-master' ? sync.members : [sync.source];
}

function targetsOf(sync: PlanSync): readonly string[] {
  return sync.mode === 'multi-master' ? sync.members : sync.targets;
}

/** Full copies into a database, with their tables there. */
export function copiesInto(plan: Plan, database: string): readonly { readonly sync: string; readonly source: string; readonly tables: readonly string[] }[] {
  return Object.entries(plan.syncs).flatMap(([name, sync]) =>
    sync.mode === 'full-copy' && sync.targets.includes(database)
      ? [{ sync: name, source: sync.source, tables: sync.tables.map(({ target }) => displayName(target)) }]
      : [],
  );
}

/** Captured tables between masters of which the open transaction's own statements have changed rows. */
export async function writtenTables(session: Session, { plan }: Generated): Promise<readonly string[]> {
  const captures = (plan.databases[session.database]?.captures ?? [])
    .map(({ table, delta }) => ({ name: displayName(table), delta }))
    .filter(({ name }) => isIn(plan, 'multi-master', { database: session.database, table: name }));
  if (captures.length === 0) return [];
  return (await session.query(ownChanges(captures))).rows.map((row) => row['name'] ?? '');
}
