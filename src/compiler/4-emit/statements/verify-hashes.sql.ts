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
/** Types that are hashed as numbers: both sides must have the column in the same one. */
export const INTEGER = /^(smallint|integer|bigint)$/;

/** Types that are text and nothing else. */
const TEXT = /^(text|character varying(\(\d+\))?)$/;
/**
 * Types whose binary form, big-endian and the same on 14 to 18, says exactly what their text says, with the function that makes it. To hash a
 * time and a number so takes 0.13 us instead of 0.22 by their texts. Floating-point numbers are none: NaN has many forms and one text.
 */
const IMAGED: readonly (readonly [type: RegExp, send: string | null])[] = [
  [/^bytea$/, null],
  [/^numeric(\(.*\))?$/, 'numeric_send'],
  [/^uuid$/, 'uuid_send'],
  [/^date$/, 'date_send'],
  [/^time(\(\d\))? without time zone$/, 'time_send'],
  [/^time(\(\d\))? with time zone$/, 'timetz_send'],
  [/^timestamp(\(\d\))? without time zone$/, 'timestamp_send'],
  [/^timestamp(\(\d\))? with time zone$/, 'timestamptz_send'],
  [/^interval(\(\d\))?$/, 'interval_send'],
  [/^inet$/, 'inet_send'],
  [/^cidr$/, 'cidr_send'],
  [/^macaddr$/, 'macaddr_send'],
  [/^macaddr8$/, 'macaddr8_send'],
  [/^pg_lsn$/, 'pg_lsn_send'],
];
/** Types of which no value is written as an empty text or with a bar in it. */
const BARLESS = /^(boolean|real|double precision|oid)$/;
/** Types of which no value is written as an empty text. */
const DOCUMENT = /^jsonb?$/;

/**
 * Purpose: hashes of rows that two servers of any major version compute alike.
 * Reads: nothing by itself; expressions over a side's rows. Writes: nothing. Called by: `verify.sql.ts`, `changed-only.sql.ts`.
 *
 * Integers are hashed as they are, text as what it is under the collation "C" (a nondeterministic one would hash its sort keys), numbers,
 * times and the like by their binary form. Of all else the text is hashed, which every type has: where the type is known to be written
 * without a bar one after the other with bars between, or else in the form of `row(…)`, which tells null from empty but takes twice the
 * time. The functions are those of hash partitioning, which must not change between majors. What the database itself has for a record,
 * for `jsonb` and for `numeric` is of no use here: it takes 1.0 for 1.00, [[1], 2] for [[1, 2]], and -1 for 1.
 */
export function hashSide(
  side: { rows: Sql; columns: readonly HashedColumn[]; key: readonly string[] },
  sameEncoding: boolean,
  lastBucket = LAST_BUCKET,
): HashedSide {
  const hashed = (values: readonly Sql[], seed: number): Sql => textHash(rowText(values), dangerousRaw(String(seed)), sameEncoding);
  const keys = side.key.map((name, index): Sql => {
    const column = side.columns.find((each) => each.name === name);
    if (column === undefined) throw new Error(`key column ${name} does not flow`);
    if (INTEGER.test(column.type)) return integerHash(column.value, { seed: index, isLast: index === side.key.length - 1 });
    const image = binaryOf(column);
    if (image !== null) return imagesHash([image], dangerousRaw(String(index)));
    return textHash(keyText(column), dangerousRaw(String(index)), sameEncoding);
  });
  const bucket = sql`((${join(keys, ' # ')}) & ${dangerousRaw(String(lastBucket))})`;
  return {
    rows: side.rows,
    bucket,
    isWanted: sql`((select current_setting('sarrio.buckets') = '') or get_bit((select current_setting('sarrio.buckets')::bytea), ${bucket}) = 1)`,
    rowHash: rowHash(side, sameEncoding),
    columnHashes: sql`array[${join(
      side.columns.map((column) => hashed([imageOf(column)], 0)),
      ', ',
    )}]`,
  };
}

/** Each part is the seed of the next: what two parts have exchanged does not pass, as it would where hashes are put together by XOR. */
function rowHash({ columns, key }: { columns: readonly HashedColumn[]; key: readonly string[] }, sameEncoding: boolean): Sql {
  const of = (pattern: RegExp): readonly HashedColumn[] => columns.filter(({ type }) => pattern.test(type));
  const images = columns.flatMap((column) => binaryOf(column) ?? []);
  const others = columns.filter((column) => binaryOf(column) === null && ![TEXT, BARLESS, DOCUMENT, INTEGER].some((each) => each.test(column.type)));
  const [document, ...documents] = of(DOCUMENT);
  const barred = [...of(BARLESS), ...(document === undefined ? [] : [document])].map(({ value }) => value);
  const texts = [
    ...(barred.length === 0 ? [] : [barredText(barred)]),
    ...documents.map(({ value }) => barredText([value])),
    ...(others.length === 0 ? [] : [rowText(others.map(imageOf))]),
  ];
  let hash = texts.reduce<Sql>((before, text) => textHash(text, before, sameEncoding), dangerousRaw('0'));
  const isLast = !columns.some(({ type }) => TEXT.test(type) || INTEGER.test(type));
  if (images.length > 0) hash = isLast ? images.reduce((before, image) => imagesHash([image], before), hash) : imagesHash(images, hash);
  for (const column of of(TEXT)) {
    const isKey = key.includes(column.name);
    hash = textHash(isKey ? column.value : sql`coalesce(${column.value}, '')`, isKey ? hash : withNull(column.value, hash), sameEncoding);
  }
  return of(INTEGER).reduce((before, column) => numberHash(column, before, key), hash);
}

/** One value without the call of a function of any number of them, which takes a tenth of the time of a document's text. */
function barredText(values: readonly Sql[]): Sql {
  const [first, ...more] = values;
  return first !== undefined && more.length === 0 ? sql`coalesce(${first}::text, '')` : sql`concat(${join(values, ", '|', ")})`;
}

/** The binary form of a value; null for a type that is not hashed by it. */
function binaryOf({ value, type }: HashedColumn): Sql | null {
  const found = IMAGED.find(([pattern]) => pattern.test(type));
  if (found === undefined) return null;
  return found[1] === null ? value : sql`${dangerousRaw(found[1])}(${value})`;
}

/**
 * An array is the only way to hash bytes before PostgreSQL 18. A null in it counts as one, and two that change places are noticed. It adds
 * up its elements' hashes, so what comes of it must be a seed, or what two rows have exchanged would pass in the sum of both.
 */
function imagesHash(images: readonly Sql[], seed: Sql): Sql {
  return sql`hash_array_extended(array[${join(images, ', ')}], ${seed})`;
}

function withNull(value: Sql, hash: Sql): Sql {
  return sql`${hash} # case when ${value} is null then 1 else 0 end`;
}

function rowText(values: readonly Sql[]): Sql {
  return sql`row(${join(values, ', ')})::text`;
}

/** Of a column that is never null. */
function keyText(column: HashedColumn): Sql {
  if (TEXT.test(column.type)) return column.value;
  return BARLESS.test(column.type) ? sql`concat(${column.value})` : rowText([imageOf(column)]);
}

/**
 * Good enough for buckets: it folds a bigint to 32 bits. Eight neighbours share a bucket, as they share a block of the table more often than
 * not: with many buckets a row's sum is in the processor's cache then (measured: half the time of grouping).
 */
function integerHash(value: Sql, { seed, isLast }: { seed: number; isLast: boolean }): Sql {
  return sql`hashint8extended(${isLast ? sql`${value} >> 3` : value}, ${dangerousRaw(String(seed))})`;
}

/**
 * All of an integer, a bigint in two halves, without the way through its text, which costs three times as much. What was hashed before is
 * the seed, which mixes the two: hashes put together by XOR would let values that two rows have exchanged pass now and then.
 */
function numberHash({ name, value, type }: HashedColumn, before: Sql, key: readonly string[]): Sql {
  const isNotNull = key.includes(name);
  const number = isNotNull ? value : sql`coalesce(${value}, 0)`;
  const seed = isNotNull ? before : withNull(value, before);
  if (type !== 'bigint') return sql`hashint4extended(${number}, ${seed})`;
  return sql`hashint4extended((${number} << 32 >> 32)::integer, hashint4extended((${number} >> 32)::integer, ${seed}))`;
}

function textHash(text: Sql, seed: Sql, sameEncoding: boolean): Sql {
  const bytes = sameEncoding ? text : sql`convert_to(${text}, 'UTF8')::text`;
  return sql`hashtextextended(${bytes} collate "C", ${seed})`;
}

/** "char" beyond ASCII is written differently since PostgreSQL 16. */
export function imageOf({ value, type }: HashedColumn): Sql {
  return type === '"char"' ? sql`${value}::integer` : value;
}
