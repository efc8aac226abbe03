import { failure } from '../../plan/errors.ts';
import type { StreamName } from '../events.ts';
import type { Failpoint } from '../failpoint.ts';
import { formatPosition } from '../../plan/position.ts';
import { sqlState } from '../postgres/connection-failure.ts';
import type { Session } from '../postgres/session.ts';
import { textArray } from '../postgres/text-array.ts';
import { type FewRows, fewRowsStatements, type WriteForm } from './apply-few.ts';
import { applyStaged, isUniqueViolation } from './apply-staged.ts';
import { type HeldTable, holdTables, TABLES_CHANGED } from './changed-tables/changed-tables.sql.ts';
import { RestingChanged, type TableWatch, TargetMoved } from './changed-tables/table-watch.ts';
import type { Reading } from './reading.ts';
import {
  advanceWatermark,
  beginApply,
  commitApply,
  FENCE_IS_LOST,
  holdFence,
  joinCopies,
  releaseSavepoint,
  rollbackApply,
  rollbackToSavepoint,
  savepoint,
  TABLES_REST,
} from './target.sql.ts';
import type { TableWork } from './work.ts';
import type { Result, Statement } from '../postgres/statement.ts';

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

/** The rows of a small round, or null when it is not small: more than a few entries travel through COPY. */
async function fewRowsOf({ work, reading }: Round): Promise<readonly FewRows[] | null> {
  const entries = work.reduce((sum, each) => sum + each.entries, 0);
  if (entries > reading.few || work.some((each) => each.truncated || each.joinFrom !== null)) return null;
  const rows = await reading.rows(work);
  const few = work.flatMap((each, index) => {
    const found = rows[index];
    return found ? [{ work: each, rows: found }] : [];
  });
  return few.length === work.length ? few : null;
}

/** In one round trip, unless the commit has to wait for the source's disk, or a table of the target is not known to fit. */
async function applyFewRound(round: Round, few: readonly FewRows[], form: WriteForm): Promise<RoundResult> {
  const { target, reading, watch, work, failpoint } = round;
  const rows = few.reduce((sum, each) => sum + each.rows.length, 0);
  const statements = [{ text: beginApply }, fence(round), ...few.flatMap((each) => fewRowsStatements(each, form))];
  await failpoint('round.target.before-begin');
  const guard = watch.guard(work);
  if (reading.isOnDisk && guard !== null) {
    return orRollback(round, async () => {
      const batch = [...statements, ...endOf(round, { rows, look: guard }), { text: commitApply }];
      const [answers] = await Promise.all([target.batch(batch), failpoint('round.target.commit-sent')]);
      checkMoved(round, answers.at(-2));
      checkCommitted(answers.at(-1));
      await failpoint('round.target.after-commit');
      return { rows, path: 'few-rows' };
    });
  }
  return inTransaction(round, async () => {
    const answers = await target.batch([...statements, ...endOf(round, { rows, look: watch.ask(work) })]);
    await failpoint('round.target.after-rows');
    await checkEnd(round, answers);
    return { rows, path: 'few-rows' };
  });
}

async function applyStagedRound(round: Round): Promise<RoundResult> {
  const { target, failpoint } = round;
  await failpoint('round.target.before-begin');
  return inTransaction(round, async () => {
    await target.batch([{ text: beginApply }, fence(round)]);
    await failpoint('round.target.after-fence');
    let rows = 0;
    for (const run of inRuns(round)) rows += await applyRun(round, run);
    await joinCopied(round);
    await failpoint('round.target.before-watermark');
    await checkEnd(round, await target.batch(endOf(round, { rows, look: round.watch.ask(round.work) })));
    await failpoint('round.target.after-rows');
    return { rows, path: 'staged' };
  });
}

/** Tables that follow each other and have few changes go together, up to so many changes as may be in memory at a time. */
function inRuns({ work, reading }: Pick<Round, 'work' | 'reading'>): readonly (readonly TableWork[])[] {
  const runs: TableWork[][] = [];
  let entries = 0;
  for (const each of work) {
    const last = runs.at(-1)?.at(-1);
    entries += each.entries;
    if (last && isFew(last, reading) && isFew(each, reading) && entries <= reading.few * TOGETHER) runs.at(-1)?.push(each);
    else {
      runs.push([each]);
      entries = each.entries;
    }
  }
  return runs;
}

/** Tables full of few changes whose rows are read and written together. */
const TOGETHER = 4;

function isFew({ entries, truncated, joinFrom, apply }: TableWork, { few }: Pick<Reading, 'few'>): boolean {
  return entries <= few && !truncated && joinFrom === null && apply.mergeRows !== null;
}

/** In a round that is not small as a whole, small tables still need no COPY, and a table that only joins needs nothing. */
async function applyRun(round: Round, run: readonly TableWork[]): Promise<number> {
  const { reading, target, failpoint } = round;
  const changed = run.filter(({ entries }) => entries > 0);
  const merged = await mergeFew(
    round,
    changed.filter((each) => isFew(each, reading)),
  );
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
  return orRollback(round, async () => {
    const result = await bothOf(apply(), reading.durable());
    await failpoint('round.target.before-commit');
    const [committed] = await Promise.all([target.query(commitApply), failpoint('round.target.commit-sent')]);
    checkCommitted(committed);
    await failpoint('round.target.after-commit');
    return result;
  });
}

async function orRollback({ target, stream }: Round, apply: () => Promise<RoundResult>): Promise<RoundResult> {
  try {
    return await apply();
  } catch (error) {
    if (target.isOpen()) await target.query(rollbackApply).catch(() => target.destroy());
    if (isFailedBy(error, TABLES_REST)) throw new RestingChanged();
    if (isFailedBy(error, TABLES_CHANGED)) throw new TargetMoved();
    throw isFailedBy(error, FENCE_IS_LOST) ? fenceLost(stream, error) : error;
  }
}

function checkCommitted(answer: Result | undefined): void {
  if (answer?.command !== 'COMMIT') throw new Error('the server answered COMMIT with ROLLBACK');
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

/** What ends a round's transaction: where left out tables stand, a look at the tables that it has written to, and the watermark. */
function endOf(round: Round, { rows, look }: { readonly rows: number; readonly look: Statement }): readonly Statement[] {
  const { stream, held } = round;
  return [...(held.length > 0 ? [holdTables(stream, held)] : []), look, move(round, rows)];
}

async function checkEnd(round: Round, answers: readonly Result[]): Promise<void> {
  checkMoved(round, answers.at(-1));
  await round.watch.check(round.target, round.work, answers.at(-2));
}

/** Had another runner moved the watermark, our rows would be applied a second time. */
function fence({ stream, stored, watch }: Round) {
  return holdFence({ sync: stream.sync, source: stream.source, position: stored, resting: watch.resting() });
}

function checkMoved({ stream }: Round, answer: Result | undefined): void {
  if (answer?.count !== 1) throw fenceLost(stream, null);
}

/** By a statement that asks for a setting which nobody makes. */
function isFailedBy(error: unknown, setting: string): boolean {
  return sqlState(error) === '42704' && error instanceof Error && error.message.includes(setting);
}

function fenceLost({ sync, source, target }: StreamName, cause: unknown): Error {
  return failure('failed', {
    code: 'SAR606',
    where: `database ${target}`,
    cause,
    message: `the watermark of sync ${sync} from ${source} is not where this runner left it: another runner applies this stream`,
  });
}
