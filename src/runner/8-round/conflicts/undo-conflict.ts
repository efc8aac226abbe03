import { failure } from '../../../plan/errors.ts';
import type { Plan, PlanMasterTable } from '../../../plan/plan.ts';
import { displayName } from '../../../sql/quote.ts';
import type { Session } from '../../postgres/session.ts';
import { sqlState } from '../../postgres/connection-failure.ts';
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
  refuseOtherColumns(table, conflict, version);
  const newRow = (current: Values | null): NewRow => {
    if (!undo.anyway && !isAsDecided(table, conflict, current)) throw changedSince(session, conflict);
    const row = completed(table, version, { conflict, current });
    return { ...targetKeyOf(table, conflict.key), ...row, sarrio_present: row !== null };
  };
  await writeRow(session, table, { key: conflict.key, row: newRow, what: `conflict ${conflict.id} was not undone` }).catch((error: unknown) => {
    if (isUniqueViolation(error)) throw valueTaken(session, conflict, error);
    throw OF_VALUES.test(sqlState(error) ?? '') ? notTaken(session, conflict, error) : error;
  });
}

/** The table's columns do not hold the values. */
const OF_VALUES = /^(22|23|42)/;

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
  return columns.every(({ name }) => masked.includes(name) || !Object.hasOwn(row, name) || (row[name] ?? null) === (other[name] ?? null));
}

type Standing = { readonly conflict: DecidedConflict; readonly current: Values | null };

/** Values that were not recorded, because they were masked or their columns came later, stay as they stand. */
function completed(table: PlanMasterTable, { row, masked = [] }: DecidedVersion, { conflict, current }: Standing): Values | null {
  if (row === null) return null;
  const later = columnsSince(table, row).filter((name) => !masked.includes(name));
  if (current !== null) return { ...row, ...Object.fromEntries([...masked, ...later].map((name) => [name, current[name] ?? null])) };
  const { id, relation } = conflict;
  if (later.length > 0) throw otherColumns(conflict, `${later.join(', ')} came later, and the row is gone, so that no values can be taken from there`);
  if (masked.length === 0) return row;
  throw failure('refused', {
    code: 'SAR314',
    where: `table ${relation}`,
    message: `conflict ${id} was recorded without ${masked.join(', ')}, and the row is gone, so that its values cannot be taken from there`,
    hint: 'Write the row by hand, with values of your own.',
  });
}

function columnsSince({ columns }: PlanMasterTable, row: Values): readonly string[] {
  return columns.map(({ name }) => name).filter((name) => !Object.hasOwn(row, name));
}

/** Whether a row was kept by columns that have other names by now: some are not known any more, others have come. */
export function hasOtherColumns(table: PlanMasterTable, { key, row }: { readonly key: Values; readonly row: Values | null }): boolean {
  const names = new Set(table.columns.map(({ name }) => name));
  const isSameKey = [...table.key].sort().join() === Object.keys(key).sort().join();
  return !isSameKey || (row !== null && Object.keys(row).some((name) => !names.has(name)) && columnsSince(table, row).length > 0);
}

/** `sarrio migrate` renames in the record, too; who renames by hand does not. */
function refuseOtherColumns(table: PlanMasterTable, conflict: DecidedConflict, version: DecidedVersion): void {
  if (!hasOtherColumns(table, { key: conflict.key, row: version.row })) return;
  const recorded = [...new Set([...Object.keys(conflict.key), ...Object.keys(version.row ?? {})])].join(', ');
  throw otherColumns(
    conflict,
    `it speaks of ${recorded}; the table has ${table.columns.map(({ name }) => name).join(', ')}, with the key ${table.key.join(', ')}`,
  );
}

function otherColumns({ id, relation }: DecidedConflict, what: string): Error {
  return failure('refused', {
    code: 'SAR635',
    where: `table ${relation}`,
    message: `conflict ${id} was recorded when the table had other columns: ${what}`,
    hint: `Look at it (sarrio conflicts show ${id.slice(0, 8)}) and write the row by hand.`,
  });
}

function notTaken(session: Session, { id, relation, key }: DecidedConflict, error: unknown): Error {
  return failure('refused', {
    code: 'SAR635',
    where: `database ${session.database}, table ${relation}`,
    message: `the table does not take the row ${JSON.stringify(key)} as conflict ${id} has it: ${error instanceof Error ? error.message : String(error)}`,
    hint: `The table was changed since. Look at it (sarrio conflicts show ${id.slice(0, 8)}) and write the row by hand.`,
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
