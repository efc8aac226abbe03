import { copyBetween } from '../../postgres/copy.ts';
import type { Session } from '../../postgres/session.ts';
import { writeStage } from '../apply-staged.ts';
import { beatDuring } from '../heartbeat.ts';
import { planFor } from '../joins.sql.ts';
import type { StreamTable } from '../work.ts';
import { bothOf, bucketMask, type Buckets, differingBuckets, sumHere } from './buckets.ts';
import { setBuckets } from './comparing.sql.ts';
import { KEYS_AT_ONCE, stageRows } from './stage-rows.ts';
import type { Row } from '../../postgres/statement.ts';
import type { InitialCopy } from '../copying.ts';

/**
 * Makes the rows that a table holds those of the copy's snapshot, in the open transaction of the copy, and writes only what differs: both
 * sides are summed up by hashes, keys and hashes of the buckets that differ meet at the target, and the rows of the keys that differ
 * go through the stage and the statements of a round. Returns how many rows were written or deleted.
 *
 * Each reading of the source has a connection in the copy's snapshot for as long as it reads, and no longer: nothing waits there, and
 * what was altered or truncated meanwhile is noticed when it is given back.
 */
export async function adoptTable(copy: InitialCopy, target: Session, table: StreamTable): Promise<number> {
  const { stream, log, failpoint } = copy;
  const buckets = await compareSums(copy, target, table);
  await failpoint('copy.after-sums');
  const differs = buckets.includes(true);
  const { inserts, updates, deletes } = differs ? await findDifferences(copy, target, { table, buckets }) : NONE;
  log({ kind: 'copy-compared', stream, table: table.relation, inserts, updates, deletes });
  const rows = inserts + updates + deletes;
  if (rows > 0) {
    await stageDifferences(copy, target, { table, rows });
    await failpoint('copy.before-differences');
    await writeStage({ target, work: table, failpoint }, rows);
  }
  if (differs) await target.query(table.verify.dropStage);
  return rows;
}

const NONE = { inserts: 0, updates: 0, deletes: 0 } as const;

/** One scan of each side, at the same time. */
async function compareSums(copy: InitialCopy, target: Session, { verify }: StreamTable): Promise<Buckets> {
  const read = reading(copy, (source) => sumHere(source, verify.sumSource));
  const [ours, theirs] = await beatDuring(target, copy.clock, () => bothOf(read, sumHere(target, verify.sumTarget)));
  return differingBuckets(ours, theirs);
}

async function findDifferences(
  copy: InitialCopy,
  target: Session,
  { table, buckets }: { table: StreamTable; buckets: Buckets },
): Promise<Record<keyof typeof NONE, number>> {
  const { verify } = table;
  await target.query(verify.createStage);
  await reading(copy, async (source) => {
    await source.batch([setBuckets(bucketMask(buckets))]);
    return copyBetween({ session: source, text: verify.copyHashes }, { session: target, text: verify.loadStage });
  });
  await target.batch([setBuckets(bucketMask(buckets))]);
  await target.query(verify.findDifferences);
  const counts = (await target.query(verify.countDifferences)).rows;
  return { inserts: countOf(counts, 'missing'), updates: countOf(counts, 'different'), deletes: countOf(counts, 'extra') };
}

function countOf(counts: readonly Row[], kind: string): number {
  return Number(counts.find((row) => row['kind'] === kind)?.['rows'] ?? 0);
}

/** The source is not asked for what only the target has: its type of the key may not even hold such a key. */
async function stageDifferences(copy: InitialCopy, target: Session, { table, rows }: { table: StreamTable; rows: number }): Promise<void> {
  const { stageSurplus, indexDifferences } = table.verify.adopt ?? {};
  await target.query(table.apply.createStage);
  if (stageSurplus !== undefined) await target.query(stageSurplus);
  if (indexDifferences !== undefined && rows > KEYS_AT_ONCE) await target.query(indexDifferences);
  await reading(copy, (bulk) => stageRows({ bulk, table, target }));
}

async function reading<T>({ reading: { openBulk, giveBackBulk } }: InitialCopy, work: (source: Session) => Promise<T>): Promise<T> {
  const source = await openBulk();
  try {
    await source.query(planFor('many'));
    return await work(source);
  } finally {
    await giveBackBulk(source);
  }
}
