import type { Flow } from '../../plan/flows.ts';
import { notAsSeen } from './changed-tables/changed-tables.sql.ts';
import { sourcesOf } from './counting.ts';
import { beginRows, endRows } from './source.sql.ts';
import type { Result, Statement } from '../postgres/statement.ts';

/** Rows of one table as the server's text: whether present (`t`, `f`), then the columns in the plan's order. */
export type TextRows = readonly (readonly (string | null)[])[];

/** A table of a sync and the route by which its rows are read. */
export type Wanted = { readonly ordinal: number; readonly route: number };

/**
 * Rows of tables, then what the catalog says of these, and no lock kept on them: an application that wants such a table for itself (TRUNCATE)
 * would wait for this connection, and another one of ours, which copies the table, for the application; nobody would notice.
 */
export function rowsAlone(sync: Flow, wanted: readonly Wanted[]): readonly Statement[] {
  return [
    beginRows,
    ...wanted.map(rowsOf(sync)),
    notAsSeen(
      sourcesOf(
        sync.tables,
        wanted.map(({ ordinal }) => ordinal),
      ),
    ),
    ...endRows,
  ];
}

export function keyOf({ ordinal, route }: Wanted): string {
  return `${ordinal}.${route}`;
}

function rowsOf(sync: Flow): (wanted: Wanted) => Statement {
  return ({ ordinal, route }) => {
    const text = sync.tables[ordinal]?.routes[route]?.read.rows;
    if (text === undefined) throw new Error(`the plan has no route ${route} for table ${ordinal}`);
    return { name: `sarrio_rows_${keyOf({ ordinal, route })}`, text };
  };
}

/** Null when the rows need COPY. No row at all: they are too large (only tables with pending keys are asked for, and every key gives a row). */
export function rowsInMemory(result: Result | undefined): TextRows | null {
  const rows = result?.lists ?? [];
  return rows.length === 0 || rows.some(mayBeMangled) ? null : rows;
}

/** What the driver makes of bytes that are no UTF-8: of SQL_ASCII databases, or of a "char" before PostgreSQL 16. */
function mayBeMangled(row: readonly (string | null)[]): boolean {
  return row.some((value) => value?.includes('\uFFFD') === true);
}
