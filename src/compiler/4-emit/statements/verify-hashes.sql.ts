import { dangerousRaw, join, type Sql, sql } from '../../../sql/sql.ts';

/** A column as one side has it: the value over the alias `t`, and its type. */
export type HashedColumn = { readonly name: string; readonly value: Sql; readonly type: string };

/** Expressions over one side's rows, alias `t`. */
export type HashedSide = {
  readonly rows: Sql;
  /** The row's bucket, from 0: bigint. */
  readonly bucket: Sql;
  /** The bucket is one of those in the setting `sarrio.buckets`; all are when it is empty, which is asked once for all rows. */
  readonly isWanted: Sql;
  /** Hash of all columns: bigint. */
  readonly rowHash: Sql;
  /** Hash of each column: bigint[]. */
  readonly columnHashes: Sql;
};

/**
 * Few enough that the sums stay in the processor's cache (4,096 cost a fifth more time for a narrow row), many enough that a difference
 * is found by reading little again. The runner knows the number too.
 */
const LAST_BUCKET = 1023;
const ZERO = dangerousRaw('0');
/** Types that are hashed as numbers: both sides must have the column in the same one. */
export const INTEGER = /^(smallint|integer|bigint)$/;

/**
 * Purpose: hashes of rows that two servers of any major version compute alike.
 * Reads: nothing by itself; expressions over a side's rows. Writes: nothing. Called by: `verify.sql.ts`.
 *
 * Integers are hashed as they are. Of all else the text in the form of `row(…)` is hashed, which every type has and which tells null from
 * empty, under the collation "C" (a nondeterministic one would hash its sort keys). The functions are those of hash partitioning, which
 * must not change between majors.
 */
export function hashSide(
  side: { rows: Sql; columns: readonly HashedColumn[]; key: readonly string[] },
  sameEncoding: boolean,
  lastBucket = LAST_BUCKET,
): HashedSide {
  const images = side.columns.map(imageOf);
  const written = images.filter((_, index) => !INTEGER.test(side.columns[index]?.type ?? ''));
  const start = written.length > 0 ? textHash(join(written, ', '), ZERO, sameEncoding) : ZERO;
  const keys = side.key.map((name, index): Sql => {
    const column = side.columns.find((each) => each.name === name);
    if (column === undefined) throw new Error(`key column ${name} does not flow`);
    return INTEGER.test(column.type) ? integerHash(column.value, index) : textHash(imageOf(column), dangerousRaw(String(index)), sameEncoding);
  });
  const bucket = sql`((${join(keys, ' # ')}) & ${dangerousRaw(String(lastBucket))})`;
  return {
    rows: side.rows,
    bucket,
    isWanted: sql`((select current_setting('sarrio.buckets') = '') or get_bit((select current_setting('sarrio.buckets')::bytea), ${bucket}) = 1)`,
    rowHash: side.columns.filter(({ type }) => INTEGER.test(type)).reduce((hash, column) => numberHash(column, hash, side.key), start),
    columnHashes: sql`array[${join(
      images.map((image) => textHash(image, ZERO, sameEncoding)),
      ', ',
    )}]`,
  };
}

/** Good enough for buckets: it folds a bigint to 32 bits. */
function integerHash(value: Sql, seed: number): Sql {
  return sql`hashint8extended(${value}, ${dangerousRaw(String(seed))})`;
}

/**
 * All of an integer, a bigint in two halves, without the way through its text, which costs three times as much. What was hashed before is
 * the seed, which mixes the two: hashes put together by XOR would let values that two rows have exchanged pass now and then.
 */
function numberHash({ name, value, type }: HashedColumn, before: Sql, key: readonly string[]): Sql {
  const isNotNull = key.includes(name);
  const number = isNotNull ? value : sql`coalesce(${value}, 0)`;
  const seed = isNotNull ? before : sql`${before} # case when ${value} is null then 1 else 0 end`;
  if (type !== 'bigint') return sql`hashint4extended(${number}, ${seed})`;
  return sql`hashint4extended((${number} << 32 >> 32)::integer, hashint4extended((${number} >> 32)::integer, ${seed}))`;
}

function textHash(values: Sql, seed: Sql, sameEncoding: boolean): Sql {
  if (sameEncoding) return sql`hashtextextended(row(${values})::text collate "C", ${seed})`;
  return sql`hashtextextended(convert_to(row(${values})::text, 'UTF8')::text collate "C", ${seed})`;
}

/** "char" beyond ASCII is written differently since PostgreSQL 16. */
export function imageOf({ value, type }: HashedColumn): Sql {
  return type === '"char"' ? sql`${value}::integer` : value;
}
