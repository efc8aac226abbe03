import { type ChangeJson, changesJson } from '../../../conflict/change.ts';
import { type ChangeName, type Knowledge, namesNewTo } from '../../../conflict/change-names.ts';
import type { MasterStatements, PlanMasterTable } from '../../../plan/plan.ts';
import type { Statement } from '../../postgres/session.ts';
import type { TextRows } from '../reading.ts';
import type { SettledRow } from './member.ts';

/** Beyond so many rows a table goes through the stage. */
const FEW_ROWS = 1_000;

type Json = Readonly<Record<string, string | boolean | null | readonly (readonly ChangeJson[])[]>>;

/** What is set aside for one table at one member: rows in memory as long as they are few, else in its stage. */
export type SetAside = {
  readonly table: PlanMasterTable;
  /** Rows as JSON objects, for the parameter of the write statements. */
  rows: Json[];
  isStaged: boolean;
  hasSettled: boolean;
  hasFresh: boolean;
};

export function newSetAside(table: PlanMasterTable): SetAside {
  return { table, rows: [], isStaged: false, hasSettled: false, hasFresh: false };
}

export function addSettled(aside: SetAside, settled: readonly SettledRow[], known: readonly Knowledge[]): void {
  const names = columnNames(aside.table);
  for (const { row, at, isFresh, names: changes, write, carried } of settled) {
    aside.rows.push({
      sarrio_present: row.isPresent,
      ...named(names, row.values),
      sarrio_at: String(at),
      sarrio_fresh: isFresh,
      sarrio_settled: true,
      sarrio_skip: write === 'skip',
      sarrio_names: namesText(namesNewTo(known, changes)),
      ...(carried === null ? {} : { sarrio_carried: changesJson(carried) }),
    });
    aside.hasFresh ||= isFresh;
  }
  aside.hasSettled ||= settled.length > 0;
}

/** Rows in memory that were settled for these keys are forgotten. Settled rows have the same text at every member. */
export function dropSettledKeys(aside: SetAside, keys: readonly Json[]): void {
  const names = aside.table.key.map((name) => aside.table.columns.find(({ from }) => 'column' in from && from.column === name)?.name ?? name);
  const keyOf = (row: Json): string => JSON.stringify(names.map((name) => row[name]));
  const dropped = new Set(keys.map(keyOf));
  aside.rows = aside.rows.filter((row) => row['sarrio_settled'] !== true || !dropped.has(keyOf(row)));
}

/**
 * Rows as `MasterStatements.rows` gives them: whether it is there, the columns, the time, the changes that it embodies, whom it is for, and
 * for some tables what the changes did.
 */
export function addDelivered(aside: SetAside, rows: TextRows, { fresh, known }: { fresh: boolean; known: readonly Knowledge[] }): void {
  const names = columnNames(aside.table);
  for (const row of rows) {
    const [at = null, changes = null, , carried] = row.slice(names.length + 1);
    aside.rows.push({
      sarrio_present: row[0] === 't',
      ...named(names, row.slice(1, names.length + 1)),
      sarrio_at: at,
      sarrio_names: namesText(namesNewTo(known, namesOf(changes))),
      sarrio_fresh: fresh,
      sarrio_settled: false,
      sarrio_skip: false,
      ...(carried === undefined ? {} : { sarrio_carried: JSON.parse(carried ?? '[]') as readonly (readonly ChangeJson[])[] }),
    });
  }
  aside.hasFresh ||= fresh && rows.length > 0;
}

/** Whether they have become too many for the runner's memory, or have to join rows that are in the stage. */
export function isForStage({ rows, isStaged }: SetAside): boolean {
  return rows.length > (isStaged ? 0 : FEW_ROWS);
}

/** Takes the rows out, as statements that put them into the stage. */
export function intoStage(aside: SetAside): readonly Statement[] {
  const statements: Statement[] = [];
  while (aside.rows.length > 0) {
    const values = [JSON.stringify(aside.rows.splice(0, FEW_ROWS))];
    statements.push({ text: writesOf(aside).insertStage, values });
  }
  aside.isStaged = true;
  return statements;
}

/** Merged as they are, or every row that changes deleted and inserted again, which lets unique values swap. */
export type WriteForm = 'merge' | 'replace';

/** The rows in memory, and the entries that tell of them. */
export function writeRows(aside: SetAside, ordinal: number, { form, tellsOthers }: { form: WriteForm; tellsOthers: boolean }): readonly Statement[] {
  const writes = writesOf(aside);
  const values = [JSON.stringify(aside.rows)];
  const named = (name: string, text: string): Statement => ({ name: `sarrio_masters_${name}_${ordinal}`, text, values });
  const entries = aside.hasFresh || tellsOthers ? [named('entries', writes.entriesOfRows)] : [];
  if (form === 'merge' && writes.mergeRows !== null) return [...entries, named('merge', writes.mergeRows)];
  return [...entries, named('delete', writes.deleteRows), named('insert', writes.insertRows)];
}

/** The rows in the stage, and the entries that tell of them. */
export function writeStage(aside: SetAside, { form, tellsOthers }: { form: WriteForm; tellsOthers: boolean }): readonly Statement[] {
  const writes = writesOf(aside);
  const texts = [
    ...(aside.hasFresh || tellsOthers ? [writes.entriesOfStage] : []),
    ...(form === 'merge' && writes.updatePresent !== null ? [writes.updatePresent, writes.deleteAbsent] : [writes.deleteChanged]),
    writes.insertMissing,
  ];
  return texts.map((text) => ({ text }));
}

export function writesOf({ table }: SetAside): MasterStatements['write'] {
  return table.masters.write;
}

function columnNames(table: PlanMasterTable): readonly string[] {
  return table.columns.map(({ name }) => name);
}

function named(names: readonly string[], values: readonly (string | null)[]): Json {
  return Object.fromEntries(names.map((name, index) => [name, values[index] ?? null]));
}

/** A text array of names, which need no quotes. */
function namesText(names: readonly ChangeName[] | null): string | null {
  return names === null ? null : `{${names.join(',')}}`;
}

function namesOf(text: string | null): readonly ChangeName[] | null {
  return text === null ? null : text.slice(1, -1).split(',');
}
