import { failure } from '../../plan/errors.ts';
import type { Clock } from '../clock.ts';
import type { Log, StreamName } from '../events.ts';
import type { Failpoint } from '../failpoint.ts';
import { formatPosition } from '../../plan/position.ts';
import { copyBetween } from '../postgres/copy.ts';
import type { Session } from '../postgres/session.ts';
import { wakes } from './apply-few.ts';
import type { Reading } from './reading.ts';
import { planFor } from './source.sql.ts';
import { beginApply, claimCopy, commitApply, finishCopy, insertWatermark, rollbackApply } from './target.sql.ts';
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
  /** Whether the rows that the table holds may go. */
  readonly replacesRows: (table: StreamTable) => boolean;
  readonly clock: Clock;
  readonly log: Log;
  readonly failpoint: Failpoint;
};

/**
 * Copies each missing table as the reading's snapshot shows it, each in one transaction of the target that also records the
 * position. What is written meanwhile is captured and comes with the round that joins the table. A copy that was cut off left nothing.
 * Another runner may have been faster with a table, from an earlier snapshot: where each table stands is for the target to say.
 */
export async function copyMissing(copy: InitialCopy): Promise<void> {
  const waiting = [...copy.missing];
  const failures: unknown[] = [];
  await copy.reading.durable();
  const next = (): StreamTable | undefined => (failures.length === 0 ? waiting.shift() : undefined);
  const worker = (): Promise<unknown> => copyInTurn(copy, next).catch((error: unknown) => failures.push(error));
  await Promise.all(Array.from({ length: Math.min(JOBS, waiting.length) }, worker));
  if (failures.length > 0) throw failures[0];
}

/** Over a connection of its own, one table after the other. */
async function copyInTurn(copy: InitialCopy, next: () => StreamTable | undefined): Promise<void> {
  const { stream, reading, registration, failpoint } = copy;
  const target = await copy.connectTarget();
  try {
    await failpoint('copy.before-watermark');
    const watermark = { text: insertWatermark, values: [stream.sync, stream.source, formatPosition(reading.position), registration] };
    await target.batch([{ text: beginApply }, watermark, { text: commitApply }]);
    for (let table = next(); table; table = next()) await copyTable(copy, target, table);
  } finally {
    await target.close();
  }
}

async function copyTable(copy: InitialCopy, target: Session, table: StreamTable): Promise<void> {
  const { stream, clock, log, failpoint } = copy;
  const started = clock.now();
  log({ kind: 'copy-started', stream, table: table.relation });
  try {
    await target.query(beginApply);
    await failpoint('copy.before-claim');
    const rows = (await claim(copy, target, table)) ? await copyRows(copy, target, table) : null;
    await failpoint('copy.before-commit');
    const [committed] = await Promise.all([target.query(commitApply), failpoint('copy.commit-sent')]);
    if (committed.command !== 'COMMIT') throw new Error('the server answered COMMIT with ROLLBACK');
    if (rows !== null) log({ kind: 'copy-finished', stream, table: table.relation, rows, ms: clock.now() - started });
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

async function copyRows(copy: InitialCopy, target: Session, table: StreamTable): Promise<number> {
  const { stream, reading, failpoint } = copy;
  await makeRoom(copy, target, table);
  const source = await reading.openBulk();
  let rows: number;
  try {
    await source.query(planFor('many'));
    await failpoint('copy.before-load');
    rows = await copyBetween({ session: source, text: table.read.copyAll }, { session: target, text: table.apply.loadTable });
  } finally {
    await reading.giveBackBulk(source);
  }
  if (table.apply.relay) {
    await target.query(table.apply.relay.all);
    await target.batch(wakes(table));
  }
  await failpoint('copy.before-finish');
  await target.query(finishCopy, [stream.sync, stream.source, table.relation, String(rows)]);
  return rows;
}

/** Rows that are there already are somebody's until the config says otherwise. */
async function makeRoom({ stream, replacesRows }: InitialCopy, target: Session, table: StreamTable): Promise<void> {
  const hasRows = (await target.query(table.apply.hasRows)).rows[0]?.['has_rows'] === 't';
  if (!hasRows) return;
  if (replacesRows(table)) {
    await target.query(table.apply.clearTable);
    return;
  }
  throw failure('refused', {
    code: 'SAR601',
    where: `database ${stream.target}, table ${table.relation}`,
    message: 'the table holds rows before its initial copy',
    hint: `Empty it, or let the copy replace its rows: existingRows: 'replace' in sync ${stream.sync}, or sarrio copy --sync ${stream.sync} --target ${stream.target} --replace.`,
  });
}
