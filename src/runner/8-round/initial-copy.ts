import { failure } from '../../plan/errors.ts';
import type { Clock } from '../clock.ts';
import type { Log, StreamName } from '../events.ts';
import type { Failpoint } from '../failpoint.ts';
import { formatPosition, parsePosition, type Position } from '../position.ts';
import { copyBetween } from '../postgres/copy.ts';
import type { Session } from '../postgres/session.ts';
import { wakes } from './apply-few.ts';
import type { Reading } from './reading.ts';
import { planFor } from './source.sql.ts';
import { beginApply, claimCopy, commitApply, finishCopy, insertWatermark, readCopies, rollbackApply } from './target.sql.ts';
import type { StreamTable } from './work.ts';

/** Tables copied at the same time: one COPY keeps about one core of each server busy. */
const JOBS = 2;

/** A stream's tables that the target does not hold yet. */
export type InitialCopy = {
  readonly stream: StreamName;
  readonly reading: Reading;
  readonly connectTarget: () => Promise<Session>;
  readonly missing: readonly StreamTable[];
  /** oid of each table's delta table, by ordinal. */
  readonly captures: readonly string[];
  readonly registration: string;
  readonly existingRows: 'refuse' | 'replace';
  readonly clock: Clock;
  readonly log: Log;
  readonly failpoint: Failpoint;
};

/**
 * Copies each missing table as the reading's snapshot shows it, each in one transaction of the target that also records the
 * position. What is written meanwhile is captured and comes with the round that joins the table. A copy that was cut off left nothing.
 * @returns The position of each copy by the table's ordinal, as it stands in the target: another runner may have copied a table at an earlier one.
 */
export async function copyMissing(copy: InitialCopy): Promise<ReadonlyMap<number, Position>> {
  const positions = new Map<number, Position>();
  const waiting = [...copy.missing];
  const failures: unknown[] = [];
  await copy.reading.durable();
  const worker = async (): Promise<void> => {
    const target = await copy.connectTarget();
    try {
      await copy.failpoint('copy.before-watermark');
      await target.query(insertWatermark, [copy.stream.sync, copy.stream.source, formatPosition(copy.reading.position), copy.registration]);
      await copy.failpoint('copy.after-watermark');
      for (let table = waiting.shift(); table && failures.length === 0; table = waiting.shift()) {
        positions.set(table.ordinal, await copyTable(copy, target, table));
      }
    } catch (error) {
      failures.push(error);
    } finally {
      await target.close();
    }
  };
  await Promise.all(Array.from({ length: Math.min(JOBS, waiting.length) }, worker));
  if (failures.length > 0) throw failures[0];
  return positions;
}

async function copyTable(copy: InitialCopy, target: Session, table: StreamTable): Promise<Position> {
  const { stream, clock, log, failpoint } = copy;
  const started = clock.now();
  log({ kind: 'copy-started', stream, table: table.relation });
  try {
    await target.query(beginApply);
    await failpoint('copy.before-claim');
    const rows = (await claim(copy, target, table)) ? await copyRows(copy, target, table) : null;
    const position = rows === null ? await positionOfOther(copy, target, table) : copy.reading.position;
    await failpoint('copy.before-commit');
    const [committed] = await Promise.all([target.query(commitApply), failpoint('copy.commit-sent')]);
    if (committed.command !== 'COMMIT') throw new Error('the server answered COMMIT with ROLLBACK');
    await failpoint('copy.after-commit');
    if (rows !== null) log({ kind: 'copy-finished', stream, table: table.relation, rows, ms: clock.now() - started });
    return position;
  } catch (error) {
    if (target.isOpen()) await target.query(rollbackApply).catch(() => target.destroy());
    throw error;
  }
}

/** False when another runner has copied the table meanwhile. */
async function claim(copy: InitialCopy, target: Session, table: StreamTable): Promise<boolean> {
  const { stream, captures, reading } = copy;
  const values = [stream.sync, stream.source, table.relation, captures[table.ordinal] ?? '', formatPosition(reading.position)];
  return (await target.query(claimCopy, values)).count === 1;
}

/** What happened since then is not in that copy, so the table joins from there and not from our snapshot. */
async function positionOfOther({ stream }: InitialCopy, target: Session, table: StreamTable): Promise<Position> {
  const { rows } = await target.query(readCopies, [stream.sync, stream.source]);
  return parsePosition(rows.find((row) => row['relation'] === table.relation)?.['position'] ?? '');
}

async function copyRows(copy: InitialCopy, target: Session, table: StreamTable): Promise<number> {
  const { stream, reading, failpoint } = copy;
  await failpoint('copy.after-claim');
  await makeRoom(copy, target, table);
  const source = await reading.openBulk();
  let rows: number;
  try {
    await source.query(planFor('many'));
    await failpoint('copy.before-load');
    rows = await copyBetween({ session: source, text: table.read.copyAll }, { session: target, text: table.apply.loadTable });
    await failpoint('copy.after-load');
  } finally {
    await reading.giveBackBulk(source);
  }
  if (table.apply.relay) {
    await target.query(table.apply.relay.all);
    await target.batch(wakes(table));
  }
  await target.query(finishCopy, [stream.sync, stream.source, table.relation, String(rows)]);
  await failpoint('copy.after-finish');
  return rows;
}

/** Rows that are there already are somebody's until the config says otherwise. */
async function makeRoom({ stream, existingRows, failpoint }: InitialCopy, target: Session, table: StreamTable): Promise<void> {
  const hasRows = (await target.query(table.apply.hasRows)).rows[0]?.['has_rows'] === 't';
  if (!hasRows) return;
  if (existingRows === 'replace') {
    await target.query(table.apply.clearTable);
    await failpoint('copy.after-clear');
    return;
  }
  throw failure('refused', {
    code: 'SAR601',
    where: `database ${stream.target}, table ${table.relation}`,
    message: 'the table holds rows before its initial copy',
    hint: `Empty it, or let the copy replace its rows: existingRows: 'replace' in sync ${stream.sync}, or sarrio copy --sync ${stream.sync} --target ${stream.target} --replace.`,
  });
}
