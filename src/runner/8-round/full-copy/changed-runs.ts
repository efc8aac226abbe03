import type { ChangedRuns, ChangedStatements, CopyStatements } from '../../../plan/plan-full-copy.ts';
import { copyBetween } from '../../postgres/copy.ts';
import type { Session } from '../../postgres/session.ts';
import { bothOf } from '../comparing/buckets.ts';
import { estimatedRows, planFor, usualJoins } from '../joins.sql.ts';
import { setRuns } from './full-copy.sql.ts';

/** Both ends of a copy of one table: the source in the copy's snapshot, the target in its transaction; and the table's name there. */
export type Ends = { readonly source: Session; readonly target: Session; readonly table: string };

/** What one side's rows come to: by the run's number, how many there are and the sum of their hashes. */
type Sums = ReadonlyMap<string, { readonly rows: number; readonly hash: string }>;

/** Keys from the first to the last. */
type Span = { readonly first: bigint; readonly last: bigint };

/** Which runs are read: their numbers, of so many bits less than the key has. */
type Wanted = { readonly shift: number; readonly runs: readonly string[]; readonly areFew: boolean };

/** Of five million rows one of a thousand may differ, anywhere: fourteen of fifteen runs agree then. The runner holds the sums of both sides. */
const MOST_RUNS = 100_000n;
/** Eight keys: a run that is not divided again. */
const FINE = 3;
/** With more room than this for each row the keys are no neighbours, and runs of very different sizes. */
const MOST_ROOM = 8n;
/** A larger share of the rows is read by one scan. */
const FEW_SHARE = 0.1;

/**
 * Brings the rows of those runs of neighbouring keys that differ. Runs are summed up once, and those that differ once more in finer ones.
 * @returns How many rows were written or deleted; null, with nothing done, where the keys are too far apart for runs.
 */
export async function copyChangedRuns(ends: Ends, statements: CopyStatements, changed: ChangedStatements, runs: ChangedRuns): Promise<number | null> {
  const { source, target } = ends;
  const [here, there] = await bothOf(readSpan(source, runs.spanSource), readSpan(target, runs.spanTarget));
  if (there === null) return copyBetween({ session: source, text: statements.copyAll }, { session: target, text: statements.load });
  const shift = shiftFor(here === null ? there : around(here, there), BigInt((await target.query(estimatedRows, [ends.table])).rows[0]?.['rows'] ?? 0));
  if (shift === null) return null;
  const wanted = await findRuns(ends, runs, shift);
  return wanted.runs.length === 0 ? 0 : replaceRuns(ends, changed, runs, wanted);
}

async function replaceRuns(ends: Ends, changed: ChangedStatements, runs: ChangedRuns, wanted: Wanted): Promise<number> {
  const { source, target } = ends;
  const { areFew } = wanted;
  await onBoth(ends, setRuns({ ...wanted, fine: wanted.shift }));
  await target.query(changed.createStage);
  await copyBetween({ session: source, text: areFew ? runs.copyFew : runs.copyMany }, { session: target, text: changed.loadStage });
  await target.query(changed.analyzeStage);
  const deleted = (await target.query(areFew ? runs.deleteFew : runs.deleteMany)).count;
  // Left to itself the planner would read the whole table once rather than look up what little is staged.
  if (areFew) await target.query(planFor('few'));
  const inserted = (await target.query(changed.insertMissing)).count;
  await target.batch([usualJoins]);
  return Math.max(deleted, inserted);
}

/** The runs that differ, as fine as can be had without another scan. */
async function findRuns(ends: Ends, runs: ChangedRuns, shift: number): Promise<Wanted> {
  const all = await compareRuns(ends, { shift, fine: shift, runs: [] }, [runs.sumSource, runs.sumTarget]);
  const areFew = all.differing < all.rows * FEW_SHARE;
  if (all.runs.length === 0 || !areFew || shift <= FINE) return { shift, runs: all.runs, areFew };
  const finer = await compareRuns(ends, { shift, fine: FINE, runs: all.runs }, [runs.sumSourceWithin, runs.sumTargetWithin]);
  return { shift: FINE, runs: finer.runs, areFew };
}

type Compared = { readonly runs: readonly string[]; readonly rows: number; readonly differing: number };

async function compareRuns(ends: Ends, settings: Parameters<typeof setRuns>[0], texts: readonly [string, string]): Promise<Compared> {
  await onBoth(ends, setRuns(settings));
  const [here, there] = await bothOf(readSums(ends.source, texts[0]), readSums(ends.target, texts[1]));
  const runs: string[] = [];
  let [rows, differing] = [0, 0];
  for (const run of new Set([...here.keys(), ...there.keys()])) {
    const [one, other] = [here.get(run), there.get(run)];
    const most = Math.max(one?.rows ?? 0, other?.rows ?? 0);
    rows += most;
    if (one?.rows === other?.rows && one?.hash === other?.hash) continue;
    differing += most;
    runs.push(run);
  }
  return { runs, rows, differing };
}

async function readSums(session: Session, text: string): Promise<Sums> {
  const [summed] = await session.batch([{ text }]);
  return new Map((summed?.lists ?? []).map(([run, rows, hash]) => [run ?? '', { rows: Number(rows), hash: hash ?? '' }]));
}

async function onBoth({ source, target }: Ends, statement: ReturnType<typeof setRuns>): Promise<void> {
  await bothOf(source.batch([statement]), target.batch([{ text: planFor('many') }, statement]));
}

async function readSpan(session: Session, text: string): Promise<Span | null> {
  const { first, last } = (await session.query(text)).rows[0] ?? {};
  return first && last ? { first: BigInt(first), last: BigInt(last) } : null;
}

function around(one: Span, other: Span): Span {
  let { first, last } = one;
  if (other.first < first) first = other.first;
  if (other.last > last) last = other.last;
  return { first, last };
}

/** So many bits that there are not too many runs. Null where keys have much more room than there are rows, by an estimate. */
function shiftFor({ first, last }: Span, rows: bigint): number | null {
  const keys = last - first + 1n;
  let shift = FINE;
  while (keys >> BigInt(shift) > MOST_RUNS) shift += 1;
  return shift > FINE && keys > rows * MOST_ROOM ? null : shift;
}
