import { ident, literal, type QualifiedName, tableIdent } from '../../../sql/quote.ts';
import { dangerousRaw, type Sql, sql } from '../../../sql/sql.ts';

/** A column that counts by a sequence, where it bounds what the sequence may give. */
export type BoundingColumn = { readonly table: QualifiedName; readonly column: string; readonly type: string };

const LARGEST: Readonly<Record<string, bigint>> = { smallint: 32_767n, integer: 2_147_483_647n };
const NUMBER = /^(smallint|integer|bigint|numeric(\(.*\))?)$/;

/**
 * Purpose: what a user's sequence says of itself, and bringing one of a target forward. Reads: the sequence, the columns that count by it.
 * Writes: the target's sequence. Called by: `emitCarry`, `emitWatched`.
 *
 * A sequence may end beyond the type of the column that counts by it: the nearer end counts.
 */
export function lookAtSequence(sequence: QualifiedName, columns: readonly BoundingColumn[]): Sql {
  const bounds = columns.flatMap(({ type }) => LARGEST[type] ?? []);
  const bound = bounds.reduce<bigint | null>((least, each) => (least !== null && least < each ? least : each), null);
  const least = bound === null ? sql`s.seqmin` : sql`greatest(s.seqmin, ${dangerousRaw(String(-bound - 1n))})`;
  const most = bound === null ? sql`s.seqmax` : sql`least(s.seqmax, ${dangerousRaw(String(bound))})`;
  return sql`
    select v.last_value as last, v.is_called, s.seqincrement as increment, ${least} as least, ${most} as most, s.seqcycle as cycles
    from ${tableIdent(sequence)} as v
    join pg_sequence as s on s.seqrelid = ${regclass(sequence)}
  `;
}

/** Forwards only: whoever has come further meanwhile is left where he is. */
export function carrySequence(sequence: QualifiedName): Sql {
  return sql`
    select setval(${regclass(sequence)}, $1::bigint, $2::boolean)
    from ${tableIdent(sequence)} as v
    join pg_sequence as s on s.seqrelid = ${regclass(sequence)}
    where case when s.seqincrement > 0 then v.last_value < $1::bigint else v.last_value > $1::bigint end
      or (v.last_value = $1::bigint and not v.is_called and $2::boolean)
  `;
}

/** Null where no column holds the number itself. */
export function extremesOf(columns: readonly BoundingColumn[]): Sql | null {
  const numbers = columns.filter(({ type }) => NUMBER.test(type));
  if (numbers.length === 0) return null;
  const each = (f: 'max' | 'min') =>
    numbers.map(({ table, column }) => `(select ${f}(${ident('t', column).text})::numeric from ${tableIdent(table).text} as t)`).join(', ');
  return sql`select trunc(greatest(${dangerousRaw(each('max'))})) as highest, trunc(least(${dangerousRaw(each('min'))})) as lowest`;
}

function regclass(name: QualifiedName): Sql {
  return sql`${literal(tableIdent(name).text)}::regclass`;
}
