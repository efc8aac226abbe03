import { ident, tableIdent } from '../../../sql/quote.ts';
import { dangerousRaw, join, type Sql, sql } from '../../../sql/sql.ts';
import type { ReadStatements } from '../../../plan/plan.ts';
import type { ModelColumn, ModelTable } from '../../2-model/model.ts';
import { oncePer } from '../once-per.ts';
import { type ApplyTarget, refusesTwice } from './apply.sql.ts';
import { columnOf, currentRows, fewPendingKeys, fewPendingOps, isComputed, isXml, pendingKeys, pendingOps, sameKey } from './pending.sql.ts';

/** More than this many bytes in the rows of one table are streamed by COPY instead of travelling through the runner's memory. */
export const MAX_BYTES = 262_144;

/**
 * Purpose: what a round reads from the source for one table.
 * Reads: the table's delta table and the table. Writes: nothing. Called by: `emitRoute`.
 */
export function readStatements(at: ApplyTarget, sync: string): ReadStatements {
  const { table, copyFormat } = at;
  const to = dangerousRaw(`to stdout (format ${copyFormat})`);
  return {
    rows: fewRows(table, sync).text,
    copyChanged: sql`
      copy (
        ${pendingRows(table, sync)}
      ) ${to}
    `.text,
    copyInserted: refusesTwice(at) ? copyInserted(table, sync, to).text : null,
    copyAll: copyAll(table, to).text,
    check: check(table)?.text ?? null,
  };
}

function copyInserted(table: ModelTable, sync: string, to: Sql): Sql {
  return sql`
    copy (
      select ${columns(table)}
      from (
        ${pendingKeys(table, sync, false)}
      ) as p
      join ${currentRows(table)} as t on ${sameKey(table, 't', 'p')}
    ) ${to}
  `;
}

/** Every pending key with its current row. */
export function pendingRows(table: ModelTable, sync: string): Sql {
  return table.gone === 'kept-when-truncated' ? deletedOrPresent(table, pendingOps(table, sync)) : rowsOfKeys(table, pendingKeys(table, sync, true));
}

/** Of keys without a row only those that were deleted, or whose row left the filter: what a TRUNCATE took stays. */
function deletedOrPresent(table: ModelTable, ops: Sql): Sql {
  const keys = join(
    table.key.columns.map(({ name }) => ident('o', name)),
    ', ',
  );
  const grouped = sql`
    select ${keys}, bool_or(o.sarrio_deleted) as sarrio_deleted
    from (
      ${ops}
    ) as o
    group by ${keys}
  `;
  const only = dangerousRaw(table.capture === 'row' ? 'only ' : '');
  const outside = sql` or exists (select from ${only}${tableIdent(table.source)} as r where ${sameKey(table, 'r', 'p')})`;
  return sql`
    ${rowsOfKeys(table, grouped)}
    where t.tableoid is not null or p.sarrio_deleted${table.where === null ? dangerousRaw('') : outside}
  `;
}

/** Pending keys with their current rows; a key without a row (deleted, or outside the filter) keeps its key columns and nothing else. */
export function rowsOfKeys(table: ModelTable, keys: Sql): Sql {
  return sql`
    select ${presentAndColumns(table)}
    from (
      ${keys}
    ) as p
    left join ${currentRows(table)} as t on ${sameKey(table, 't', 'p')}
  `;
}

const presentAndColumns = oncePer((table: ModelTable): Sql => {
  return join([sql`t.tableoid is not null as sarrio_present`, ...table.columns.map((column) => keyOrColumn(table, column))]);
});

function fewRows(table: ModelTable, sync: string): Sql {
  const large = table.columns.filter((column) => column.from.kind === 'computed' || column.from.column.variableLength);
  const changed = table.gone === 'kept-when-truncated' ? deletedOrPresent(table, fewPendingOps(table, sync)) : rowsOfKeys(table, fewPendingKeys(table, sync));
  if (large.length === 0) return changed;
  const size = join(large.map(sizeOf), ' + ');
  return sql`
    with changed as materialized (
      ${changed}
    )
    select c.sarrio_present, ${join(
      table.columns.map(({ target }) => ident('c', target)),
      ', ',
    )}
    from changed as c
    where (select coalesce(sum(${size}), 0) from changed as c) <= ${dangerousRaw(String(MAX_BYTES))}
  `;
}

/** Bytes of a value without reading it, unless it is compressed: then the stored size says nothing of what would be held in memory. */
export function sizeOf({ target, from }: ModelColumn): Sql {
  const value = ident('c', target);
  // The text of a bytea is twice as long, and may be longer than a text can be.
  const read = from.kind === 'column' && from.column.type === 'bytea' ? value : sql`${value}::text`;
  return sql`coalesce(case when pg_column_compression(${value}) is null then pg_column_size(${value}) else octet_length(${read}) end, 0)`;
}

export function keyOrColumn(table: ModelTable, column: ModelColumn): Sql {
  const value = columnOf(column);
  const name = column.from.kind === 'column' ? column.from.column.name : null;
  const isKey = table.key.columns.some((key) => key.name === name);
  const expression = isKey && name !== null ? sql`coalesce(${value}, ${ident('p', name)})` : value;
  return sql`${expression} as ${ident(column.target)}`;
}

/** The plain form where it says the same: it skips the executor. */
export function copyAll(table: ModelTable, to: Sql): Sql {
  const needsQuery = table.source.kind !== 'table' || table.where !== null || table.columns.some((column) => isComputed(column) || needsExpression(column));
  if (needsQuery) {
    return sql`
      copy (
        select ${columns(table)}
        from ${currentRows(table)} as t
      ) ${to}
    `;
  }
  const names = table.columns.map((column) => ident(column.from.kind === 'column' ? column.from.column.name : column.target));
  return sql`copy ${tableIdent(table.source)} (${join(names, ', ')}) ${to}`;
}

/** Expressions of the user's are first seen by a server here. */
export function check(table: ModelTable): Sql | null {
  if (table.where === null && !table.columns.some(isComputed)) return null;
  return sql`
    select ${columns(table)}
    from ${currentRows(table)} as t
    limit 0
  `;
}

/** What COPY of a table's columns cannot give, or not exactly. */
function needsExpression(column: ModelColumn): boolean {
  return column.from.kind === 'column' && (column.from.column.generated !== 'none' || isXml(column.from.column.type));
}

export const columns = oncePer((table: ModelTable): Sql => join(table.columns.map(columnOf), ', '));
