import { failure } from '../../../plan/errors.ts';
import { formatPosition } from '../../../plan/position.ts';
import { copyBetween } from '../../postgres/copy.ts';
import type { Session } from '../../postgres/session.ts';
import { wakes } from '../apply-few.ts';
import { isUniqueViolation, writeStage } from '../apply-staged.ts';
import { adoptTable } from '../comparing/adopt-table.ts';
import { planFor } from '../joins.sql.ts';
import {
  beginApply,
  claimCopy,
  commitApply,
  finishCopy,
  lockWatermark,
  releaseSavepoint,
  rollbackApply,
  rollbackToSavepoint,
  savepoint,
} from '../target.sql.ts';
import { refuseOwnWrites, refuseOwnWritesUnderLock } from './own-writes.ts';
import { isSetAside } from './set-aside.ts';
import { finishRange, forgetRanges, readRanges, setRange, takeRange } from './ranges.sql.ts';
import { type Range, type RangedTable, readTableFiles } from './ranges.ts';
import type { InitialCopy } from '../copying.ts';

/**
 * Copies one range in one transaction of the target, which also records that it is there. Null when somebody else has.
 *
 * Ranges of one snapshot hold each row once. One of a later snapshot may hold rows that an earlier range has brought, from where they stood
 * then: such a row was changed since the copy's position, as was whatever else stands in its way, and the round that joins the table
 * writes both. So it is left out.
 */
export async function copyRange(copy: InitialCopy, target: Session, { ranged, range }: { ranged: RangedTable; range: Range }): Promise<number | null> {
  const { stream, failpoint } = copy;
  const names = [stream.sync, stream.source, ranged.table.relation, range.number];
  try {
    await target.query(beginApply);
    await failpoint('copy.before-range');
    const isOurs = (await target.query(takeRange, [...names, ranged.copy])).count === 1;
    if (isOurs) await refuseOwnWrites(copy, target, { table: ranged.table, since: ranged.ownPosition });
    const rows = isOurs ? await loadRange(copy, target, { ranged, range }) : null;
    if (rows !== null) await target.query(finishRange, [...names, String(rows)]);
    await failpoint('copy.before-range-commit');
    const [committed] = await Promise.all([target.query(commitApply), failpoint('copy.range-sent')]);
    if (committed.command !== 'COMMIT') throw new Error('the server answered COMMIT with ROLLBACK');
    await failpoint('copy.after-range');
    return rows;
  } catch (error) {
    if (target.isOpen()) await target.query(rollbackApply).catch(() => target.destroy());
    throw error;
  }
}

async function loadRange(copy: InitialCopy, target: Session, { ranged, range }: { ranged: RangedTable; range: Range }): Promise<number> {
  const { table, isResumed } = ranged;
  const reads = table.read.ranges;
  if (reads === undefined) throw new Error(`the plan has no ranges for ${table.relation}`);
  if (table.table.keeps === 'gone') return mergeRange(copy, target, { ranged, range });
  if (!isResumed) {
    await target.query(savepoint);
    try {
      const rows = await readRange(copy, { ranged, range, text: reads.rows }, { session: target, text: table.apply.loadTable });
      await target.query(releaseSavepoint);
      return rows;
    } catch (error) {
      // Between masters the next run goes on as after a kill: it leaves the row out, and compares all in the end.
      if (!isUniqueViolation(error) || copy.joining !== null) throw error;
      await target.query(rollbackToSavepoint);
    }
  }
  await stageRange(copy, target, { ranged, range });
  return (await target.query(table.apply.insertFree ?? '')).count;
}

/** Rows of the target stay whatever the source has, and those that both have become as they are there. */
async function mergeRange(copy: InitialCopy, target: Session, of: { ranged: RangedTable; range: Range }): Promise<number> {
  const rows = await stageRange(copy, target, of);
  await writeStage({ target, work: of.ranged.table, failpoint: copy.failpoint }, rows);
  return rows;
}

async function stageRange(copy: InitialCopy, target: Session, { ranged, range }: { ranged: RangedTable; range: Range }): Promise<number> {
  const { table } = ranged;
  await target.query(table.apply.createStage);
  return readRange(copy, { ranged, range, text: table.read.ranges?.staged ?? '' }, { session: target, text: table.apply.loadStage });
}

/** The lock keeps the rows where they are while they are read: a table that was written anew has another file. */
async function readRange(
  { reading, throttle }: InitialCopy,
  { ranged, range, text }: { ranged: RangedTable; range: Range; text: string },
  to: { session: Session; text: string },
): Promise<number> {
  const source = await reading.openBulk();
  try {
    await source.query(ranged.table.verify.lockSource);
    const { files } = await readTableFiles(source, ranged.table);
    if (files !== ranged.files) throw rewritten(ranged);
    await source.query(planFor('many'));
    await source.query(setRange, [range.firstBlock, range.endBlock]);
    return await copyBetween({ session: source, text }, to, throttle);
  } finally {
    await reading.giveBackBulk(source);
  }
}

function rewritten({ table }: RangedTable): Error {
  return failure('failed', {
    code: 'SAR642',
    where: `table ${table.relation}`,
    message: 'the source table was truncated or written anew (VACUUM FULL, CLUSTER, ALTER TABLE), or its partitions changed, while it was copied',
    hint: 'Its copy begins again by itself.',
  });
}

/**
 * Between masters a table embodies one snapshot of the first member from the moment on at which applications may write to it: where it came from several,
 * it is compared with the one of this run.
 */
async function makeExact(copy: InitialCopy, target: Session, { table, isResumed, ownPosition }: RangedTable): Promise<void> {
  if (copy.joining === null) return;
  if (isResumed) await adoptTable(copy, target, table);
  await copy.failpoint('copy.before-own-writes');
  await refuseOwnWritesUnderLock(copy, target, { table, since: ownPosition });
}

/** All ranges are there: the table is a copied one, from the copy's first position on. False when another runner has said so. */
export async function finishRanges(copy: InitialCopy, target: Session, ranged: RangedTable): Promise<number | null> {
  const { stream, captures, failpoint } = copy;
  const { table, copy: id } = ranged;
  const names = [stream.sync, stream.source, table.relation];
  try {
    await target.batch([{ text: beginApply }, lockWatermark(stream.sync, stream.source)]);
    const ranges = (await target.query(readRanges, names)).rows;
    const areThere = ranges.length > 0 && ranges.every((row) => row['copy'] === id && row['copied_rows'] !== null);
    const isWhole = areThere && !(await isSetAside(copy, target, table));
    const rows = ranges.reduce((sum, row) => sum + Number(row['copied_rows']), 0);
    const position = copy.joining === null ? ranged.position : formatPosition(copy.reading.position);
    if (isWhole && (await target.query(claimCopy, [...names, captures[table.ordinal] ?? '', position])).count === 1) {
      await makeExact(copy, target, ranged);
      if (table.apply.relay) {
        await target.query(table.apply.relay.all);
        await target.batch(wakes(table));
      }
      await target.query(finishCopy, [...names, String(rows)]);
      await target.query(forgetRanges, names);
    }
    await failpoint('copy.before-whole');
    const committed = await target.query(commitApply);
    if (committed.command !== 'COMMIT') throw new Error('the server answered COMMIT with ROLLBACK');
    return isWhole ? rows : null;
  } catch (error) {
    if (target.isOpen()) await target.query(rollbackApply).catch(() => target.destroy());
    throw error;
  }
}
