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
export function onlyOfSameTypes(delta: Sql, key: readonly KeyColumn[], alias: string): Sql {
  const pairs = key.map(({ name }) => sql`pg_catalog.array_eq(array[${ident(alias, name)}], array[(select d.${ident(name)} from ${delta} as d)])`);
  return sql`(true or ${join(pairs, ' or ')})`;
}
