import type { ChangedStatements, CopyStatements } from '../../../plan/plan-full-copy.ts';
import { copyBetween } from '../../postgres/copy.ts';
import type { Session } from '../../postgres/session.ts';
import { copyChangedRuns, type Ends } from './changed-runs.ts';
import { setCopyBuckets } from './full-copy.sql.ts';

/** What one side's rows come to: by bucket, their number and the sum of their hashes. */
type Sums = ReadonlyMap<number, string>;

/** Brings the rows of what differs: of runs of neighbouring keys, or where there are none of buckets. @returns How many rows were written or deleted. */
export async function copyChanged(ends: Ends, statements: CopyStatements, changed: ChangedStatements): Promise<number> {
  const { runs = null } = changed;
  return (runs === null ? null : await copyChangedRuns(ends, statements, changed, runs)) ?? copyChangedBuckets(ends, statements, changed);
}

async function copyChangedBuckets(ends: Ends, statements: CopyStatements, changed: ChangedStatements): Promise<number> {
  const { source, target } = ends;
  const sums = await Promise.all([readSums(source, changed.sumSource), readSums(target, changed.sumTarget)]);
  const [here, there] = sums;
  if (there.size === 0) return copyBetween({ session: source, text: statements.copyAll }, { session: target, text: statements.load });
  const differing = differingBuckets(here, there);
  if (differing.length === 0) return 0;
  const mask = maskOf(differing, changed.buckets);
  await Promise.all([source.query(setCopyBuckets, [mask]), target.query(setCopyBuckets, [mask])]);
  await target.query(changed.createStage);
  await copyBetween({ session: source, text: changed.copyRows }, { session: target, text: changed.loadStage });
  await target.query(changed.analyzeStage);
  const deleted = (await target.query(changed.deleteDiffering)).count;
  const inserted = (await target.query(changed.insertMissing)).count;
  return Math.max(deleted, inserted);
}

async function readSums(session: Session, text: string): Promise<Sums> {
  const [, summed] = await session.batch([{ text: setCopyBuckets, values: [''] }, { text }]);
  return new Map((summed?.lists ?? []).map(([bucket, rows, hash]) => [Number(bucket), `${rows} ${hash}`]));
}

/** Buckets whose rows are not the same on both sides. */
function differingBuckets(source: Sums, target: Sums): readonly number[] {
  return [...new Set([...source.keys(), ...target.keys()])].filter((bucket) => source.get(bucket) !== target.get(bucket));
}

/** A bytea with the bit of each of the buckets set. */
function maskOf(buckets: readonly number[], of: number): string {
  const bytes = Buffer.alloc(of / 8);
  for (const bucket of buckets) bytes[bucket >> 3] = (bytes[bucket >> 3] ?? 0) | (1 << (bucket & 7));
  return `\\x${bytes.toString('hex')}`;
}
