import { literal } from '../../sql/quote.ts';
import { type Sql, sql } from '../../sql/sql.ts';

/** Purpose: what aligning a sequence reads, for the transaction. Reads: nothing. Writes: settings. Called by: diffSequences. */
export function nextValue({ floor, next }: { readonly floor: bigint; readonly next: bigint }): Sql {
  return sql`select set_config('sarrio.floor', ${literal(String(floor))}, true), set_config('sarrio.next', ${literal(String(next))}, true);`;
}
