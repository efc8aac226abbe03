import type { Session } from '../../postgres/session.ts';
import { endReading } from '../source.sql.ts';
import { beginRead, setBuckets } from './comparing.sql.ts';
import type { Result, Statement } from '../../postgres/statement.ts';

/** As many as the statements of the plan have; each row belongs to one by the hash of its key. */
export const BUCKETS = 1024;

/** What one side's rows come to: by bucket, their number and the sum of their hashes as text. */
export type BucketSums = ReadonlyMap<number, { readonly rows: number; readonly sum: string }>;

/** A set of buckets. */
export type Buckets = readonly boolean[];

/** So many percent of the buckets, beginning at a random one, so that samples taken again and again see everything in the end. */
export function sampleOf(percent: number, random: number): Buckets {
  const wanted = Math.max(1, Math.round((BUCKETS * percent) / 100));
  const first = Math.floor(random * BUCKETS);
  return Array.from({ length: BUCKETS }, (_, bucket) => (bucket - first + BUCKETS) % BUCKETS < wanted);
}

/** The set as the statements read it: a bytea, the bit of the first bucket first; empty for all of them. */
export function bucketMask(buckets: Buckets): string {
  if (!buckets.includes(false)) return '';
  const bytes = Buffer.alloc(BUCKETS / 8);
  buckets.forEach((isIn, bucket) => {
    if (isIn) bytes[bucket >> 3] = (bytes[bucket >> 3] ?? 0) | (1 << (bucket & 7));
  });
  return `\\x${bytes.toString('hex')}`;
}

/** One scan of one side, in a snapshot of its own that ends with it. */
export async function sumBuckets(session: Session, text: string, wanted: Buckets): Promise<BucketSums> {
  const statements: readonly Statement[] = [beginRead, setBuckets(bucketMask(wanted)), { text }, { text: endReading }];
  return sumsOf((await session.batch(statements))[2]);
}

/** The same of all buckets in the session's open transaction. */
export async function sumHere(session: Session, text: string): Promise<BucketSums> {
  return sumsOf((await session.batch([setBuckets(''), { text }]))[1]);
}

function sumsOf(answer: Result | undefined): BucketSums {
  return new Map((answer?.lists ?? []).map(([bucket, rows, sum]) => [Number(bucket), { rows: Number(rows), sum: sum ?? '' }]));
}

/** Buckets whose rows are not the same on both sides. */
export function differingBuckets(source: BucketSums, target: BucketSums): Buckets {
  return Array.from({ length: BUCKETS }, (_, bucket) => {
    const [one, other] = [source.get(bucket), target.get(bucket)];
    return one?.rows !== other?.rows || one?.sum !== other?.sum;
  });
}

export function rowsIn(sums: BucketSums): number {
  return [...sums.values()].reduce((total, { rows }) => total + rows, 0);
}

/** Waits for both even when one fails, so that no statement is under way in a session that is used again. */
export async function bothOf<T>(one: Promise<T>, other: Promise<T>): Promise<readonly [T, T]> {
  const [first, second] = await Promise.allSettled([one, other]);
  if (first.status === 'rejected') throw first.reason;
  if (second.status === 'rejected') throw second.reason;
  return [first.value, second.value];
}
