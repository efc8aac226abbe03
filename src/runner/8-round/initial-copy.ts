import { formatPosition } from '../../plan/position.ts';
import { copyBetween } from '../postgres/copy.ts';
import type { Session } from '../postgres/session.ts';
import { wakes } from './apply-few.ts';
import { adoptTable } from './comparing/adopt-table.ts';
import { holdsRows, makeRoom } from './make-room.ts';
import { copyRange, finishRanges } from './ranges/copy-range.ts';
import { beginRanges, type Range, type RangedTable, readTableFiles } from './ranges/ranges.ts';
import { forgetRanges, readRangedTables } from './ranges/ranges.sql.ts';
import { putBack, putBackHere } from './ranges/set-aside.ts';
import { planFor } from './joins.sql.ts';
import { beginApply, claimCopy, commitApply, finishCopy, insertWatermark, rollbackApply } from './target.sql.ts';
import type { StreamTable } from './work.ts';
import type { InitialCopy } from './copying.ts';

/** One transaction of the target. */
type Unit =
  | { readonly kind: 'table'; readonly table: StreamTable; readonly holdsOurs: boolean }
  | { readonly kind: 'range'; readonly ranged: Progress; readonly range: Range };

/** A table in ranges while they are copied. */
type Progress = RangedTable & { readonly started: number; left: number; rows: number };

/**
 * Copies each missing table as the reading's snapshot shows it. A small one comes in one transaction of the target, which also records the
 * position: a copy that was cut off left nothing. A large one comes in ranges, each kept once it is there; its position is that of the first
 * snapshot of the copy, whichever run began it. What is written meanwhile is captured and comes with the round that joins the table.
 * Another runner may have been faster with a table, from an earlier snapshot: where each table stands is for the target to say.
 */
export async function copyMissing(copy: InitialCopy): Promise<void> {
  const failures: unknown[] = [];
  await copy.reading.durable();
  const first = await copy.connectTarget();
  const units = await beginAll(copy, first).catch(async (error: unknown) => {
    await first.close();
    throw error;
  });
  const next = (): Unit | undefined => (failures.length === 0 ? units.shift() : undefined);
  const worker = (session: Session | null): Promise<unknown> => copyInTurn(copy, session, next).catch((error: unknown) => failures.push(error));
  const others = Math.max(0, Math.min(copy.jobs, units.length) - 1);
  await Promise.all([worker(first), ...Array.from({ length: others }, () => worker(null))]);
  if (failures.length > 0) throw failures[0];
}

async function beginAll(copy: InitialCopy, target: Session): Promise<Unit[]> {
  const { stream, reading, registration, failpoint, missing } = copy;
  await failpoint('copy.before-watermark');
  const watermark = { text: insertWatermark, values: [stream.sync, stream.source, formatPosition(reading.position), registration] };
  await target.batch([{ text: beginApply }, watermark, { text: commitApply }]);
  const mayBeRanges = missing.some(({ read }) => read.ranges !== undefined);
  const begun = new Set(mayBeRanges ? (await target.query(readRangedTables, [stream.sync, stream.source])).rows.map((row) => row['relation']) : []);
  const units: Unit[] = [];
  for (const table of missing) units.push(...(await unitsOf(copy, { target, table, isBegun: begun.has(table.relation) })));
  return units;
}

async function unitsOf(copy: InitialCopy, { target, table, isBegun }: { target: Session; table: StreamTable; isBegun: boolean }): Promise<readonly Unit[]> {
  const { chunkBytes, clock, log, stream } = copy;
  const whole: readonly Unit[] = [{ kind: 'table', table, holdsOurs: isBegun }];
  if (table.read.ranges === undefined || (!isBegun && copy.adopts && (await holdsRows(target, table)))) return whole;
  const file = await fileOf(copy, table);
  const { files, blocks, blockSize } = file;
  if (files === null) return whole;
  const bytes = blocks.reduce((sum, each) => sum + each, 0) * blockSize;
  if (!isBegun && table.table.keeps !== 'gone' && bytes <= chunkBytes) return whole;
  const ranged = await beginRanges(copy, { target, table, file: { ...file, files }, chunkBytes });
  if (ranged === null) return [];
  const left = ranged.ranges.filter(({ isCopied }) => !isCopied);
  log({ kind: 'copy-started', stream, table: table.relation });
  const progress: Progress = { ...ranged, started: clock.now(), left: left.length, rows: 0 };
  if (left.length > 0) return left.map((range) => ({ kind: 'range', ranged: progress, range }));
  await finishTable(copy, target, progress);
  return [];
}

async function fileOf({ reading }: InitialCopy, table: StreamTable): ReturnType<typeof readTableFiles> {
  const bulk = await reading.openBulk();
  try {
    return await readTableFiles(bulk, table);
  } finally {
    await reading.giveBackBulk(bulk);
  }
}

/** Over a connection of its own, one after the other. */
async function copyInTurn(copy: InitialCopy, session: Session | null, next: () => Unit | undefined): Promise<void> {
  const target = session ?? (await copy.connectTarget());
  try {
    for (let unit = next(); unit; unit = next()) {
      if (unit.kind === 'table') await copyTable(copy, target, unit);
      else await copyOneRange(copy, target, unit);
    }
  } finally {
    await target.close();
  }
}

async function copyOneRange(copy: InitialCopy, target: Session, { ranged, range }: { ranged: Progress; range: Range }): Promise<void> {
  const { stream, clock, log } = copy;
  const rows = await copyRange(copy, target, { ranged, range });
  ranged.left -= 1;
  ranged.rows += rows ?? 0;
  const total = ranged.ranges.length;
  const done = total - ranged.left;
  const here = done - ranged.ranges.filter(({ isCopied }) => isCopied).length;
  const ms = clock.now() - ranged.started;
  const msLeft = Math.round((ms / here) * ranged.left);
  if (rows !== null)
    log({
      kind: 'copy-range',
      stream,
      table: ranged.table.relation,
      done,
      total,
      rows,
      rowsPerSecond: Math.round((ranged.rows / Math.max(ms, 1)) * 1000),
      msLeft,
    });
  if (ranged.left === 0) await finishTable(copy, target, ranged);
}

async function finishTable(copy: InitialCopy, target: Session, ranged: Progress): Promise<void> {
  const { stream, clock, log } = copy;
  await putBack(copy, target, ranged.table);
  const rows = await finishRanges(copy, target, ranged);
  if (rows !== null) log({ kind: 'copy-finished', stream, table: ranged.table.relation, rows, ms: clock.now() - ranged.started });
}

async function copyTable(copy: InitialCopy, target: Session, unit: { table: StreamTable; holdsOurs: boolean }): Promise<void> {
  const { stream, clock, log, failpoint } = copy;
  const { table } = unit;
  const started = clock.now();
  log({ kind: 'copy-started', stream, table: table.relation });
  try {
    await target.query(beginApply);
    await failpoint('copy.before-claim');
    const rows = (await claim(copy, target, table)) ? await copyRows(copy, target, unit) : null;
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

async function copyRows(copy: InitialCopy, target: Session, unit: { table: StreamTable; holdsOurs: boolean }): Promise<number> {
  const { stream, failpoint } = copy;
  const names = [stream.sync, stream.source, unit.table.relation];
  if (unit.holdsOurs) await target.query(forgetRanges, names);
  const adopts = copy.adopts && (await holdsRows(target, unit.table));
  const rows = adopts ? await adoptTable(copy, target, unit.table) : await copyWhole(copy, target, unit);
  if (unit.holdsOurs) await putBackHere(copy, target, unit.table);
  await failpoint('copy.before-finish');
  await target.query(finishCopy, [...names, String(rows)]);
  return rows;
}

async function copyWhole(copy: InitialCopy, target: Session, unit: { table: StreamTable; holdsOurs: boolean }): Promise<number> {
  const { reading, failpoint, throttle } = copy;
  const { table } = unit;
  await makeRoom(copy, target, { ...unit, inRanges: false });
  const source = await reading.openBulk();
  let rows: number;
  try {
    await source.query(planFor('many'));
    await failpoint('copy.before-load');
    rows = await copyBetween({ session: source, text: table.read.copyAll }, { session: target, text: table.apply.loadTable }, throttle);
  } finally {
    await reading.giveBackBulk(source);
  }
  if (table.apply.relay) {
    await target.query(table.apply.relay.all);
    await target.batch(wakes(table));
  }
  return rows;
}
