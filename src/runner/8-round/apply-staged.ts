import type { Failpoint } from '../failpoint.ts';
import { sqlState } from '../postgres/connection-failure.ts';
import { CopyError, copyBetween } from '../postgres/copy.ts';
import type { Session } from '../postgres/session.ts';
import { wakes } from './apply-few.ts';
import type { Reading } from './reading.ts';
import { joinsFor, usualJoins } from './joins.sql.ts';
import { setPosition } from './source.sql.ts';
import { releaseSavepoint, rollbackToSavepoint, savepoint } from './target.sql.ts';
import type { TableWork } from './work.ts';
import type { Statement } from '../postgres/statement.ts';

/** Staged rows above this number are analyzed before they are joined. */
const ANALYZE_ABOVE = 20_000;

/** A round's two ends for one table. */
export type StagedParts = {
  readonly reading: Reading;
  readonly target: Session;
  readonly work: TableWork;
  readonly failpoint: Failpoint;
};

/** Brings one table's changes to the target by COPY within the target's open transaction. Returns the number of rows that travelled. */
export async function applyStaged(parts: StagedParts): Promise<number> {
  const { work } = parts;
  if (work.truncated) return refreshTable(parts);
  const { copyInserted } = work.read;
  if (work.allInserts && work.apply.relay === null && copyInserted !== null) {
    const inserted = await insertStraight(parts, copyInserted);
    if (inserted !== null) return inserted;
  }
  return mergeStage(parts);
}

/** A TRUNCATE is among the changes: the target's rows go and all current rows of the source come. DELETE, so that readers of the target never see it empty. */
async function refreshTable(parts: StagedParts): Promise<number> {
  const { target, work, failpoint } = parts;
  await failpoint('round.target.before-clear');
  await target.query(work.apply.clearTable);
  await failpoint('round.target.after-clear');
  const rows = await copyFrom(parts, work.read.copyAll, work.apply.loadTable);
  if (work.apply.relay) {
    await target.query(work.apply.relay.all);
    await target.batch(wakes(work));
  }
  return rows;
}

/** All changes are inserts: straight into the table. Null when the target holds one of the rows already; then the general form takes over. */
async function insertStraight(parts: StagedParts, copyInserted: string): Promise<number | null> {
  const { target, work, failpoint } = parts;
  await target.query(savepoint);
  await failpoint('round.target.before-load');
  try {
    const rows = await copyFrom(parts, copyInserted, work.apply.loadTable);
    await failpoint('round.target.after-load');
    await target.query(releaseSavepoint);
    return rows;
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    await target.query(rollbackToSavepoint);
    return null;
  }
}

async function mergeStage(parts: StagedParts): Promise<number> {
  const { target, work, failpoint } = parts;
  await target.query(work.apply.createStage);
  await failpoint('round.target.before-stage');
  const rows = await copyFrom(parts, work.read.copyChanged, work.apply.loadStage);
  await failpoint('round.target.before-merge');
  await writeStage(parts, rows);
  return rows;
}

/** What writing a stage needs. */
export type WriteParts = { readonly target: Session; readonly work: Pick<TableWork, 'apply' | 'table'>; readonly failpoint: Failpoint };

/**
 * The staged rows into the target table; on a clash of unique values all of them are deleted and inserted. Recorded for the syncs that read
 * the table. The planner knows nothing of a stage that is not analyzed and would read a table of a hundred thousand rows for a hundred.
 */
export async function writeStage(parts: WriteParts, rows: number): Promise<void> {
  const { target, work, failpoint } = parts;
  if (rows > ANALYZE_ABOVE) await target.query(work.apply.analyzeStage);
  await target.batch([joinsFor(work.table.target, rows), { text: savepoint }]);
  try {
    await mergeStaged(parts, rows);
    await target.batch([{ text: releaseSavepoint }, usualJoins]);
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    await target.query(rollbackToSavepoint);
    await replaceStaged(parts);
    await target.batch([usualJoins]);
  }
  if (work.apply.relay) {
    await failpoint('round.target.before-relay');
    await target.query(work.apply.relay.stage);
    await target.batch(wakes(work));
    await failpoint('round.target.after-relay');
  }
}

/** When every staged row was an update, nothing is left to delete or insert. */
async function mergeStaged(parts: WriteParts, staged: number): Promise<void> {
  const { target, work, failpoint } = parts;
  const { updatePresent, deleteAbsent, insertMissing } = work.apply;
  if (updatePresent === null) return replaceStaged(parts);
  const updated = (await target.query(updatePresent)).count;
  await failpoint('round.target.after-update');
  if (updated === staged) return;
  const deleted = deleteAbsent === null ? 0 : (await target.query(deleteAbsent)).count;
  await failpoint('round.target.after-delete');
  if (updated + deleted < staged) await target.query(insertMissing);
  await failpoint('round.target.after-insert');
}

async function replaceStaged({ target, work, failpoint }: WriteParts): Promise<void> {
  await failpoint('round.target.before-replace');
  await target.query(work.apply.deleteStaged);
  await failpoint('round.target.in-replace');
  await target.query(work.apply.insertStaged);
  await failpoint('round.target.after-replace');
}

async function copyFrom(parts: StagedParts, read: string, write: string): Promise<number> {
  const { reading, target, work, failpoint } = parts;
  const source = await reading.openBulk();
  try {
    await source.batch([setPosition(work.joinFrom ?? reading.from), work.truncated ? joinsFor(work.table.source, 'all') : joinsOf(work)]);
    await failpoint('round.target.before-copy');
    return await copyBetween({ session: source, text: read }, { session: target, text: write });
  } finally {
    await reading.giveBackBulk(source);
  }
}

function joinsOf({ table, entries, delta }: TableWork): Statement {
  return joinsFor(table.source, entries, delta === null ? null : { delta, key: table.key });
}

/** Unique and exclusion violations: the order of the rows, not the rows themselves, may be at fault. */
export function isUniqueViolation(error: unknown): boolean {
  const state = sqlState(error instanceof CopyError ? error.cause : error);
  return state === '23505' || state === '23P01';
}
