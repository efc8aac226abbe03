import { failure } from '../../../plan/errors.ts';
import type { Plan, PlanMasterTable } from '../../../plan/plan.ts';
import { displayName } from '../../../sql/quote.ts';
import type { Session } from '../../postgres/session.ts';
import { isUniqueViolation } from '../apply-staged.ts';
import { type DecidedConflict, type DecidedVersion, versionsOfKey } from './read-conflicts.ts';
import { type NewRow, type Values, writeRow } from './write-row.ts';

export type Undo = {
  readonly plan: Plan;
  readonly conflict: DecidedConflict;
  /** Whose version is to stand. */
  readonly version: DecidedVersion;
  /** Although the row was changed since. */
  readonly anyway: boolean;
};

/**
 * Writes the other version as a new change at one member, with the time of now. It goes to everybody like any change: who has changed the
 * row meanwhile is in conflict with it, and the table's rule decides.
 */
export async function undoConflict(session: Session, undo: Undo): Promise<void> {
  const { conflict, version } = undo;
  const table = tableOf(undo);
  const newRow = (current: Values | null): NewRow => {
    if (!undo.anyway && !isAsDecided(table, conflict, current)) throw changedSince(session, conflict);
    const row = unmasked(version, conflict, current);
    return { ...targetKeyOf(table, conflict.key), ...row, sarrio_present: row !== null };
  };
  await writeRow(session, table, { key: conflict.key, row: newRow, what: `conflict ${conflict.id} was not undone` }).catch((error: unknown) => {
    throw isUniqueViolation(error) ? valueTaken(session, conflict, error) : error;
  });
}

function tableOf({ plan, conflict }: Undo): PlanMasterTable {
  const sync = plan.syncs[conflict.sync];
  const table = sync?.mode === 'multi-master' ? sync.tables.find(({ target }) => displayName(target) === conflict.relation) : undefined;
  if (table !== undefined) return table;
  throw failure('refused', { code: 'SAR631', message: `the plan has no table ${conflict.relation} in a multi-master sync ${conflict.sync} any more` });
}

/** After `skip` every database has its own version; a row that was parked or removed is not there. */
function isAsDecided(table: PlanMasterTable, conflict: DecidedConflict, current: Values | null): boolean {
  const { decision } = conflict;
  if (decision === 'park' || decision === 'remove') return current === null;
  const taken = /^take (.+)$/.exec(decision)?.[1];
  const possible = versionsOfKey(conflict).filter(({ database }) => taken === undefined || database === taken);
  return possible.some((version) => sameRow(table, version, current));
}

/** As far as it was recorded. */
function sameRow({ columns }: PlanMasterTable, { row, masked = [] }: DecidedVersion, other: Values | null): boolean {
  if (row === null || other === null) return row === other;
  return columns.every(({ name }) => masked.includes(name) || (row[name] ?? null) === (other[name] ?? null));
}

/** Values that were not recorded stay as they stand. */
function unmasked({ row, masked = [] }: DecidedVersion, { id, relation }: DecidedConflict, current: Values | null): Values | null {
  if (row === null || masked.length === 0) return row;
  if (current !== null) return { ...row, ...Object.fromEntries(masked.map((name) => [name, current[name] ?? null])) };
  throw failure('refused', {
    code: 'SAR314',
    where: `table ${relation}`,
    message: `conflict ${id} was recorded without ${masked.join(', ')}, and the row is gone, so that its values cannot be taken from there`,
    hint: 'Write the row by hand, with values of your own.',
  });
}

/** A key by the columns' names as rows have them. */
export function targetKeyOf(table: PlanMasterTable, key: Values): Values {
  return Object.fromEntries(table.key.map((name) => [targetName(table, name), key[name] ?? null]));
}

function targetName({ columns }: PlanMasterTable, source: string): string {
  return columns.find(({ from }) => 'column' in from && from.column === source)?.name ?? source;
}

function valueTaken(session: Session, { id, relation, key }: DecidedConflict, error: unknown): Error {
  const { message, detail } = error as { readonly message?: string; readonly detail?: string };
  return failure('refused', {
    code: 'SAR634',
    where: `database ${session.database}, table ${relation}`,
    message: `the row ${JSON.stringify(key)} of conflict ${id} cannot be written: ${[message, detail].filter((part) => part !== undefined).join(': ')}`,
    hint: 'Change or delete the row that holds the value, then the same command again. A parked row comes back by sarrio kick, too, once its value is free.',
  });
}

function changedSince(session: Session, { id, relation, key }: DecidedConflict): Error {
  return failure('refused', {
    code: 'SAR632',
    where: `database ${session.database}, table ${relation}`,
    message: `the row ${JSON.stringify(key)} was changed since conflict ${id} was decided`,
    hint: 'Look at it; to overwrite what it is now, add --anyway.',
  });
}
