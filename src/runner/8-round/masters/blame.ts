import { closeContested, fetchContested, openContested, releaseSavepoint, rollbackToSavepoint, savepoint } from './masters.sql.ts';
import { excludedRow } from './member-exceptions.ts';
import { isExcluded, isFaultOfRows, type RowAtFault, stateOf, TableError } from './member-error.ts';
import { tableOf } from './member-reads.ts';
import { type AsideRow, newSetAside, type SetAside } from './set-aside.ts';
import type { Statement } from '../../postgres/statement.ts';
import type { MemberState } from './member-state.ts';

/** The statements that write what was set aside for a table. */
export type WriteAgain = (ordinal: number, aside: SetAside) => readonly Statement[];

type Table = { readonly ordinal: number; readonly aside: SetAside };
type Failed = { readonly few: readonly Table[]; readonly writes: WriteAgain };

/** Rows that are read of a stage at a time. */
const PAGE = 1_000;

/**
 * A batch does not say which of its statements failed: in a transaction that is lost anyway, the tables are written once more, one by one,
 * and of the one that fails again the row is looked for.
 */
export async function blamed(state: MemberState, { few, writes }: Failed, error: unknown): Promise<unknown> {
  if (!isFaultOfRows(error)) return error;
  try {
    for (const table of few) {
      const cause = await writtenAgain(state, writes, table);
      if (cause !== null) return new TableError(table.ordinal, cause, await rowAtFault(state, writes, { ...table, cause }));
    }
  } catch {
    // The savepoint was passed already: it was none of the tables.
    return error;
  }
  return error;
}

/** The same of a table whose rows are in the stage. Only a table with a handler has somebody to ask about the row. */
export async function blamedStage(state: MemberState, writes: WriteAgain, { ordinal, aside, cause }: Table & { readonly cause: unknown }): Promise<unknown> {
  if (!isFaultOfRows(cause)) return cause;
  if (tableOf(state, ordinal).exception === null) return new TableError(ordinal, cause);
  try {
    const excluded = await excludedBy(state, { ordinal, aside, cause });
    return new TableError(ordinal, cause, excluded ?? (await rowOfStage(state, writes, { ordinal, aside })));
  } catch {
    return new TableError(ordinal, cause);
  }
}

/** Page by page, each written by itself, until one fails. */
async function rowOfStage(state: MemberState, writes: WriteAgain, { ordinal, aside }: Table): Promise<RowAtFault | null> {
  const { session } = state;
  const { exceptions } = tableOf(state, ordinal).masters;
  if (exceptions === undefined) return null;
  await session.query(rollbackToSavepoint);
  // What is rolled back takes its cursors with it.
  await session.query(releaseSavepoint);
  await session.query(openContested(exceptions.stage));
  await session.query(savepoint);
  for (;;) {
    const [answer] = await session.batch([{ text: fetchContested(PAGE) }]);
    const rows = (answer?.lists ?? []).map(([present, ...values]): AsideRow => {
      return { row: { isPresent: present === 't', values }, at: '0', isFresh: false, isSettled: true, isSkipped: false, names: null, carried: null };
    });
    const page = { ordinal, aside: { ...newSetAside(aside.table), rows } };
    const cause = rows.length === 0 ? null : await writtenAgain(state, writes, page);
    if (cause !== null) return rowAtFault(state, writes, { ...page, cause });
    if (rows.length < PAGE) break;
  }
  await session.query(closeContested);
  return null;
}

/** What went wrong; null when nothing did. */
async function writtenAgain({ session }: MemberState, writes: WriteAgain, { ordinal, aside }: Table): Promise<unknown> {
  await session.query(rollbackToSavepoint);
  return session.batch(writes(ordinal, aside)).then(
    () => null,
    (cause: unknown) => cause,
  );
}

/**
 * Values that exclude each other are compared, all with all: written in parts, a row would meet what another part of them takes out of its
 * way. Of other errors halves are written, until one row is left.
 */
async function rowAtFault(state: MemberState, writes: WriteAgain, { ordinal, aside, cause }: Table & { readonly cause: unknown }): Promise<RowAtFault | null> {
  const excluded = await excludedBy(state, { ordinal, aside, cause });
  if (excluded !== null) return excluded;
  let rows = aside.rows;
  while (rows.length > 1) {
    const half = rows.slice(0, Math.ceil(rows.length / 2));
    const rest = rows.slice(half.length);
    if (isOfRows(await writtenAgain(state, writes, { ordinal, aside: { ...aside, rows: half } }))) rows = half;
    else if (isOfRows(await writtenAgain(state, writes, { ordinal, aside: { ...aside, rows: rest } }))) rows = rest;
    else return null;
  }
  const [row] = rows;
  if (row === undefined) return null;
  return { key: Object.fromEntries(aside.table.key.map((name) => [name, row.row.values[placeOf(aside, name)] ?? null])), row: row.row, inTheWay: [] };
}

/** An index's expression may fail for some other row that arrives: then it is looked for as for other errors. */
async function excludedBy(state: MemberState, { ordinal, aside, cause }: Table & { readonly cause: unknown }): Promise<RowAtFault | null> {
  if (!isExcluded(cause)) return null;
  await state.session.query(rollbackToSavepoint);
  try {
    return await excludedRow(state, { ordinal, aside, constraint: constraintOf(cause) });
  } catch (error) {
    if (stateOf(error) === null) throw error;
    return null;
  }
}

function isOfRows(cause: unknown): boolean {
  return cause !== null && stateOf(cause) !== null;
}

function constraintOf(cause: unknown): string | null {
  const { constraint, cause: inner } = (cause ?? {}) as { readonly constraint?: unknown; readonly cause?: unknown };
  if (typeof constraint === 'string') return constraint;
  return inner === undefined ? null : constraintOf(inner);
}

function placeOf({ table }: SetAside, source: string): number {
  return table.columns.findIndex(({ from, name }) => ('column' in from ? from.column : name) === source);
}
