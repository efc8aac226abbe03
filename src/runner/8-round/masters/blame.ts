import type { Statement } from '../../postgres/session.ts';
import { rollbackToSavepoint } from './masters.sql.ts';
import { isFaultOfRows, stateOf, TableError } from './member-error.ts';
import type { MemberState } from './session-member.ts';
import type { SetAside } from './set-aside.ts';

/** The statements that write what was set aside for a table. */
export type WriteAgain = (ordinal: number, aside: SetAside) => readonly Statement[];

type Failed = { readonly few: readonly { readonly ordinal: number; readonly aside: SetAside }[]; readonly writes: WriteAgain };

/**
 * A batch does not say which of its statements failed: in a transaction that is lost anyway, the tables are written once more, one by one,
 * and of the one that fails again halves of its rows, until one row is left.
 */
export async function blamed({ session }: Pick<MemberState, 'session'>, { few, writes }: Failed, error: unknown): Promise<unknown> {
  if (!isFaultOfRows(error)) return error;
  const failureOf = async (ordinal: number, aside: SetAside): Promise<unknown> => {
    await session.query(rollbackToSavepoint);
    return session.batch(writes(ordinal, aside)).then(
      () => null,
      (cause: unknown) => cause,
    );
  };
  try {
    for (const { ordinal, aside } of few) {
      const cause = await failureOf(ordinal, aside);
      if (cause !== null) return new TableError(ordinal, cause, await keyAtFault(aside, (part) => failureOf(ordinal, part)));
    }
  } catch {
    // The savepoint was passed already: it was none of the tables.
    return error;
  }
  return error;
}

type Key = Readonly<Record<string, string | null>>;

/** Null where no row fails by itself: two that arrive are in each other's way. */
async function keyAtFault(aside: SetAside, failureOf: (part: SetAside) => Promise<unknown>): Promise<Key | null> {
  let rows = aside.rows;
  while (rows.length > 1) {
    const half = rows.slice(0, Math.ceil(rows.length / 2));
    const rest = rows.slice(half.length);
    if (isOfRows(await failureOf({ ...aside, rows: half }))) rows = half;
    else if (isOfRows(await failureOf({ ...aside, rows: rest }))) rows = rest;
    else return null;
  }
  const [row] = rows;
  return row === undefined ? null : Object.fromEntries(aside.table.key.map((name) => [name, row.row.values[placeOf(aside, name)] ?? null]));
}

function isOfRows(cause: unknown): boolean {
  return cause !== null && stateOf(cause) !== null;
}

function placeOf({ table }: SetAside, source: string): number {
  return table.columns.findIndex(({ from, name }) => ('column' in from ? from.column : name) === source);
}
