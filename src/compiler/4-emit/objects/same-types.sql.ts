import type { KeyColumn } from '../../../plan/schema-lock.ts';
import { ident } from '../../../sql/quote.ts';
import { join, type Sql, sql } from '../../../sql/sql.ts';

/**
 * Purpose: a condition that holds always and costs nothing, since it is decided when the statement is planned; but the statement can
 * only be understood while the key columns have the very types that the delta table has. Without it the owner of a captured table
 * could put a column of a type of his own in the place of a key, and our insert would call his cast to the delta table's type, with
 * our rights. Only polymorphism allows no cast, and only through arrays.
 * Reads: nothing. Writes: nothing. Called by: `capture.sql.ts`.
 */
export function onlyOfSameTypes(delta: Sql, key: readonly CapturedKey[], alias: string): Sql {
  const pairs = key.map((column) => sql`pg_catalog.array_eq(array[${ident(alias, column.name)}], array[${ofType(delta, column)}])`);
  return sql`(true or ${join(pairs, ' or ')})`;
}

/** A key column with its type as the catalog says it. */
export type CapturedKey = KeyColumn & { readonly type: string };

/**
 * A value of the delta table's type that is never looked at. Where the type has a name that nobody can take its place, the name: a
 * subselect is looked through and locks its table each time that a kept plan is used, a tenth of what a capture costs.
 */
function ofType(delta: Sql, { name, type }: CapturedKey): Sql {
  const known = SYSTEM_TYPES.get(type);
  return known === undefined ? sql`(select d.${ident(name)} from ${delta} as d)` : sql`null::pg_catalog.${ident(known)}`;
}

/** Types of keys as `format_type` says them -> their names in pg_catalog. A type with a length or a scale is looked up in the delta table. */
const SYSTEM_TYPES: ReadonlyMap<string, string> = new Map([
  ['smallint', 'int2'],
  ['integer', 'int4'],
  ['bigint', 'int8'],
  ['numeric', 'numeric'],
  ['text', 'text'],
  ['character varying', 'varchar'],
  ['uuid', 'uuid'],
  ['date', 'date'],
  ['timestamp with time zone', 'timestamptz'],
  ['timestamp without time zone', 'timestamp'],
]);
