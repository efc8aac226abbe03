import { failure } from '../../plan/errors.ts';
import type { StreamName } from '../events.ts';
import type { Failpoint } from '../failpoint.ts';
import { formatPosition } from '../../plan/position.ts';
import type { Result, Session, Statement } from '../postgres/session.ts';
import { textArray } from '../postgres/text-array.ts';
import { type FewRows, fewRowsStatements, type WriteForm } from './apply-few.ts';
import { applyStaged, isUniqueViolation } from './apply-staged.ts';
import { type HeldTable, holdTables } from './changed-tables/changed-tables.sql.ts';
import { RestingChanged, type TableWatch } from './changed-tables/table-watch.ts';
import type { Reading } from './reading.ts';
import {
  advanceWatermark,
  beginApply,
  commitApply,
  joinCopies,
  lockWatermark,
  releaseSavepoint,
  rollbackApply,
  rollbackToSavepoint,
  savepoint,
} from './target.sql.ts';
import type { TableWork } from './work.ts';

/** Up to so many delta entries, everything travels in two round trips to each side instead of through COPY. */
const FEW_ENTRIES = 200;

/** One round of one stream. */
export type Round = {
  readonly stream: StreamName;
  readonly reading: Reading;
  readonly target: Session;
  readonly work: readonly TableWork[];
  /** The watermark as stored. */
  readonly stored: string;
  /** Looks whether the target's tables are what the plan was compiled for, and knows which ones rest. */
  readonly watch: TableWatch;
  /** Tables that do not go with the watermark. */
  readonly held: readonly HeldTable[];
  readonly failpoint: Failpoint;
};

export type RoundResult = { readonly rows: number; readonly path: 'few-rows' | 'staged' };

/**
 * Applies everything pending in one transaction of the target and moves the watermark in it: all of it or nothing.
 *
 * Order: lock the watermark row (the fence), write rows, move the watermark, make sure that the source has on disk what was read,
 * commit. After an error the transaction is rolled back; after a lost connection the next start reads the watermark back.
 */
export async function applyRound(round: Round): Promise<RoundResult> {
  const few = await fewRowsOf(round);
  if (few === null) return applyStagedRound(round);
  try {
    return await applyFewRound(round, few, 'merge');
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    return applyFewRound(round, few, 'replace');
  }
}

/** The rows of a small round, or null when it is not small. */
async function fewRowsOf({ work, reading }: Round): Promise<readonly FewRows[] | null> {
  const entries = work.reduce((sum, each) => sum + each.entries, 0);
  if (entries > FEW_ENTRIES || work.some((each) => each.truncated || each.joinFrom !== null)) return null;
  const rows = await reading.rows(work);
  const few = work.flatMap((each, index) => {
    const found = rows[index];
    return found ? [{ work: each, rows: found }] : [];
  });
  return few.length === work.length ? few : null;
}

async function applyFewRound(round: Round, few: readonly FewRows[], form: WriteForm): Promise<RoundResult> {
  const { target, stream, failpoint } = round;
  const rows = few.reduce((sum, each) => sum + each.rows.length, 0);
  const statements = few.flatMap((each) => fewRowsStatements(each, form));
  await failpoint('round.target.before-begin');
  return inTransaction(round, async () => {
    const answers = await target.batch([{ text: beginApply }, lockWatermark(stream.sync, stream.source), ...statements, ...endOf(round, rows)]);
    await failpoint('round.target.after-rows');
    checkFence(round, answers[1]);
    await checkEnd(round, answers);
    return { rows, path: 'few-rows' };
  });
}

async function applyStagedRound(round: Round): Promise<RoundResult> {
  const { target, stream, failpoint } = round;
  await failpoint('round.target.before-begin');
  return inTransaction(round, async () => {
    const answers = await target.batch([{ text: beginApply }, lockWatermark(stream.sync, stream.source)]);
    checkFence(round, answers[1]);
    await failpoint('round.target.after-fence');
    let rows = 0;
    for (const run of inRuns(round.work)) rows += await applyRun(round, run);
    await joinCopied(round);
    await failpoint('round.target.before-watermark');
    await checkEnd(round, await target.batch(endOf(round, rows)));
    await failpoint('round.target.after-rows');
    return { rows, path: 'staged' };
  });
}

/** Tables that follow each other and have few changes go together. */
function inRuns(work: readonly TableWork[]): readonly (readonly TableWork[])[] {
  const runs: TableWork[][] = [];
  for (const each of work) {
    const last = runs.at(-1)?.at(-1);
    if (last && isFew(last) && isFew(each)) runs.at(-1)?.push(each);
    else runs.push([each]);
  }
  return runs;
}

function isFew({ entries, truncated, joinFrom, apply }: TableWork): boolean {
  return entries <= FEW_ENTRIES && !truncated && joinFrom === null && apply.mergeRows !== null;
}

/** In a round that is not small as a whole, small tables still need no COPY, and a table that only joins needs nothing. */
async function applyRun(round: Round, run: readonly TableWork[]): Promise<number> {
  const { reading, target, failpoint } = round;
  const changed = run.filter(({ entries }) => entries > 0);
  const merged = await mergeFew(round, changed.filter(isFew));
  let rows = merged.rows;
  for (const work of changed) if (!merged.tables.has(work)) rows += await applyStaged({ reading, target, work, failpoint });
  return rows;
}

type Merged = { readonly rows: number; readonly tables: ReadonlySet<TableWork> };
const NONE: Merged = { rows: 0, tables: new Set() };

/** One round trip to each side. A savepoint guards the rest of the round; on a clash, or where rows are large, the staged form decides. */
async function mergeFew({ reading, target, failpoint }: Round, tables: readonly TableWork[]): Promise<Merged> {
  if (tables.length === 0) return NONE;
  const answers = await reading.rows(tables);
  const few = tables.flatMap((work, index) => {
    const rows = answers[index];
    return rows ? [{ work, rows }] : [];
  });
  await failpoint('round.target.before-few');
  try {
    await target.batch([{ text: savepoint }, ...few.flatMap((each) => fewRowsStatements(each, 'merge')), { text: releaseSavepoint }]);
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    await target.query(rollbackToSavepoint);
    return NONE;
  }
  await failpoint('round.target.after-few');
  return { rows: few.reduce((sum, { rows }) => sum + rows.length, 0), tables: new Set(few.map(({ work }) => work)) };
}

async function inTransaction(round: Round, apply: () => Promise<RoundResult>): Promise<RoundResult> {
  const { target, reading, failpoint } = round;
  try {
    const result = await bothOf(apply(), reading.durable());
    await failpoint('round.target.before-commit');
    const [committed] = await Promise.all([target.query(commitApply), failpoint('round.target.commit-sent')]);
    if (committed.command !== 'COMMIT') throw new Error('the server answered COMMIT with ROLLBACK');
    await failpoint('round.target.after-commit');
    return result;
  } catch (error) {
    if (target.isOpen()) await target.query(rollbackApply).catch(() => target.destroy());
    throw error;
  }
}

/** Waits for both even when one fails: a statement that came after the rollback would stand, and commit, alone. */
async function bothOf<T>(applying: Promise<T>, durable: Promise<void>): Promise<T> {
  const [applied, flushed] = await Promise.allSettled([applying, durable]);
  if (applied.status === 'rejected') throw applied.reason;
  if (flushed.status === 'rejected') throw flushed.reason;
  return applied.value;
}

async function joinCopied({ stream, target, work, failpoint }: Round): Promise<void> {
  const joining = work.filter((each) => each.joinFrom !== null).map((each) => each.relation);
  if (joining.length === 0) return;
  await failpoint('round.target.before-join');
  await target.query(joinCopies, [stream.sync, stream.source, textArray(joining)]);
}

function move({ stream, stored, reading }: Round, rows: number) {
  return advanceWatermark({ sync: stream.sync, source: stream.source, from: stored, to: formatPosition(reading.position), rows });
}

/** What ends a round's transaction: a look at the tables it has written to, where left out ones stand, and the watermark. */
function endOf(round: Round, rows: number): readonly Statement[] {
  const { stream, watch, work, held } = round;
  return [...(held.length > 0 ? [holdTables(stream, held)] : []), watch.ask(work), move(round, rows)];
}

async function checkEnd(round: Round, answers: readonly Result[]): Promise<void> {
  checkMoved(round, answers.at(-1));
  await round.watch.check(round.target, round.work, answers.at(-2));
}

/** The row is locked now; had another runner moved it, our rows would be applied a second time. */
function checkFence({ stream, stored, watch }: Round, answer: Result | undefined): void {
  const [position, resting] = answer?.lists[0] ?? [];
  if (position !== stored) throw fenceLost(stream);
  if (resting !== watch.resting()) throw new RestingChanged(resting ?? '{}');
}

function checkMoved({ stream }: Round, answer: Result | undefined): void {
  if (answer?.count !== 1) throw fenceLost(stream);
}

function fenceLost({ sync, source, target }: StreamName): Error {
  return failure('failed', {
    code: 'SAR606',
    where: `database ${target}`,
    message: `the watermark of sync ${sync} from ${source} is not where this runner left it: another runner applies this stream`,
  });
}
