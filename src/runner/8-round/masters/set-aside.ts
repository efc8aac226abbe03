import { changesJson } from '../../../conflict/change.ts';
import { type ChangeName, type Knowledge, namesNewTo } from '../../../conflict/change-names.ts';
import type { PlanMasterTable } from '../../../plan/plan.ts';
import type { MasterStatements } from '../../../plan/plan-masters.ts';
import { recordedFor } from '../../../plan/conflict-rule.ts';
import { copyColumns } from '../../postgres/copy.ts';
import type { Session } from '../../postgres/session.ts';
import type { TextRows } from '../reading-rows.ts';
import type { RowText, SettledRow } from './member.ts';
import type { Statement } from '../../postgres/statement.ts';

/** Beyond so many rows a table goes through the stage. */
const FEW_ROWS = 1_000;

/** A row that waits to be written. */
export type AsideRow = {
  readonly row: RowText;
  /** Microseconds since 1970, as text. */
  readonly at: string | null;
  readonly isFresh: boolean;
  readonly isSettled: boolean;
  readonly isSkipped: boolean;
  /** A text array of the changes that it embodies and that are new here. */
  readonly names: string | null;
  /** As JSON, for tables whose rule asks for it. */
  readonly carried: string | null;
};

/** What is set aside for one table at one member: rows in memory as long as they are few, else in its stage. */
export type SetAside = {
  readonly table: PlanMasterTable;
  rows: AsideRow[];
  isStaged: boolean;
  /** Settled rows that are in the stage. */
  stagedSettled: number;
  hasSettled: boolean;
  hasFresh: boolean;
  /** Conflicts that were decided where they stand, and how many of the decisions are changes of their own; null where no contested key was. */
  decided: { readonly conflicts: number; readonly fresh: number } | null;
};

export function newSetAside(table: PlanMasterTable): SetAside {
  return { table, rows: [], isStaged: false, stagedSettled: 0, hasSettled: false, hasFresh: false, decided: null };
}

export function addSettled(aside: SetAside, settled: readonly SettledRow[], known: readonly Knowledge[]): void {
  for (const { row, at, isFresh, names, write, carried } of settled) {
    aside.rows.push({
      row,
      at: String(at),
      isFresh,
      isSettled: true,
      isSkipped: write === 'skip',
      names: namesText(namesNewTo(known, names)),
      carried: carried === null ? null : JSON.stringify(changesJson(carried)),
    });
    aside.hasFresh ||= isFresh;
  }
  aside.hasSettled ||= settled.length > 0;
}

/** Rows in memory that were settled for these keys are forgotten. Settled rows have the same text at every member. */
export function dropSettledKeys(aside: SetAside, keys: readonly AsideRow[]): void {
  const names = aside.table.key.map((name) => aside.table.columns.find(({ from }) => 'column' in from && from.column === name)?.name ?? name);
  const places = names.map((name) => aside.table.columns.findIndex((column) => column.name === name));
  const keyOf = ({ row }: AsideRow): string => JSON.stringify(places.map((place) => row.values[place]));
  const dropped = new Set(keys.map(keyOf));
  aside.rows = aside.rows.filter((row) => !row.isSettled || !dropped.has(keyOf(row)));
}

/**
 * Rows as `MasterStatements.rows` gives them: whether it is there, the columns, the time, the changes that it embodies, whom it is for, and
 * for some tables what the changes did.
 */
export function addDelivered(aside: SetAside, rows: TextRows, { fresh, known }: { fresh: boolean; known: readonly Knowledge[] }): void {
  const count = aside.table.columns.length;
  for (const row of rows) {
    const [at = null, changes = null, , carried] = row.slice(count + 1);
    aside.rows.push({
      row: { isPresent: row[0] === 't', values: row.slice(1, count + 1) },
      at,
      isFresh: fresh,
      isSettled: false,
      isSkipped: false,
      names: namesText(namesNewTo(known, namesOf(changes))),
      carried: carried === undefined ? null : (carried ?? '[]'),
    });
  }
  aside.hasFresh ||= fresh && rows.length > 0;
}

/** Whether they have become too many for the runner's memory, or have to join rows that are in the stage. */
export function isForStage({ rows, isStaged }: SetAside): boolean {
  return rows.length > (isStaged ? 0 : FEW_ROWS);
}

/** Takes the rows out, as lines for `loadRows`. */
export function intoStage(aside: SetAside): readonly string[] {
  const { rows } = aside;
  aside.rows = [];
  aside.isStaged = true;
  aside.stagedSettled += rows.filter(({ isSettled }) => isSettled).length;
  const { rule } = aside.table;
  const isRecorded = recordedFor(rule) !== null;
  return rows.map(({ row, at, isFresh, isSettled, isSkipped, names, carried }) => {
    const own = [at, flag(isFresh), flag(isSettled), flag(isSkipped), names, ...(isRecorded ? [carried] : [])];
    return `${flag(row.isPresent)}\t${copyColumns(row.values)}\t${copyColumns(own)}\n`;
  });
}

function flag(value: boolean): string {
  return value ? 't' : 'f';
}

/** The rows in memory, for the parameter of the write statements. */
export function rowsJson({ table, rows }: SetAside): string {
  const names = table.columns.map(({ name }) => name);
  return JSON.stringify(
    rows.map(({ row, at, isFresh, isSettled, isSkipped, names: changes, carried }) => ({
      sarrio_present: row.isPresent,
      ...Object.fromEntries(names.map((name, index) => [name, row.values[index] ?? null])),
      sarrio_at: at,
      sarrio_fresh: isFresh,
      sarrio_settled: isSettled,
      sarrio_skip: isSkipped,
      sarrio_names: changes,
      ...(carried === null ? {} : { sarrio_carried: JSON.parse(carried) as unknown }),
    })),
  );
}

/** Merged as they are, or every row that changes deleted and inserted again, which lets unique values swap. */
export type WriteForm = 'merge' | 'replace';

/** The rows in memory, and the entries that tell of them. */
export function writeRows(aside: SetAside, ordinal: number, { form, tellsOthers }: { form: WriteForm; tellsOthers: boolean }): readonly Statement[] {
  const writes = writesOf(aside);
  const values = [rowsJson(aside)];
  const named = (name: string, text: string): Statement => ({ name: `sarrio_masters_${name}_${ordinal}`, text, values });
  const entries = aside.hasFresh || tellsOthers ? [named('entries', writes.entriesOfRows)] : [];
  if (form === 'merge' && writes.mergeRows !== null) return [...entries, named('merge', writes.mergeRows)];
  return [...entries, named('delete', writes.deleteRows), named('insert', writes.insertRows)];
}

/** Writes the rows in the stage, and the entries that tell of them. What has nothing to do is left out: most rows are there and change. */
export async function writeStage(
  session: Pick<Session, 'query'>,
  aside: SetAside,
  { form, tellsOthers }: { form: WriteForm; tellsOthers: boolean },
): Promise<void> {
  const writes = writesOf(aside);
  if (aside.hasFresh || tellsOthers) await session.query(writes.entriesOfStage);
  if (form === 'replace' || writes.updatePresent === null) {
    await session.query(writes.deleteChanged);
    await session.query(writes.insertMissing);
    return;
  }
  const [staged] = (await session.query(writes.countStage)).rows;
  const updated = (await session.query(writes.updatePresent)).count;
  if (staged?.['absent'] !== '0') await session.query(writes.deleteAbsent);
  if (staged?.['present'] !== String(updated)) await session.query(writes.insertMissing);
}

/** Whether the sync's other members have to hear of what is written. */
export function isHeard({ hasFresh, decided }: SetAside): boolean {
  return hasFresh || (decided !== null && decided.fresh > 0);
}

export function writesOf({ table }: SetAside): MasterStatements['write'] {
  return table.masters.write;
}

/** A text array of names, which need no quotes. */
function namesText(names: readonly ChangeName[] | null): string | null {
  return names === null ? null : `{${names.join(',')}}`;
}

function namesOf(text: string | null): readonly ChangeName[] | null {
  return text === null ? null : text.slice(1, -1).split(',');
}
