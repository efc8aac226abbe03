import { displayName } from '../../../sql/quote.ts';
import { covers, formatPosition, parsePosition, type Position, sameHistory } from '../../../plan/position.ts';
import type { Session } from '../../postgres/session.ts';
import { holdsRows, makeRoom } from '../make-room.ts';
import { beginApply, commitApply, lockWatermark, rollbackApply } from '../target.sql.ts';
import type { StreamTable } from '../work.ts';
import { ownPosition, refuseOwnWrites } from './own-writes.ts';
import { setAside } from './set-aside.ts';
import { forgetRanges, insertRanges, isCopied, readRanges, tableFiles } from './ranges.sql.ts';
import type { Row } from '../../postgres/statement.ts';
import type { InitialCopy } from '../copying.ts';

/** A table that is copied in ranges. */
export type RangedTable = {
  readonly table: StreamTable;
  /** The copy's identity, and its position: that of its first snapshot. */
  readonly copy: string;
  readonly position: string;
  readonly files: string;
  readonly ranges: readonly Range[];
  /** Between masters: from there on nobody else may have written to the table. */
  readonly ownPosition: string | null;
  /** Begun by an earlier run, from an earlier snapshot: some rows may be there already. */
  readonly isResumed: boolean;
};

export type Range = { readonly number: string; readonly firstBlock: string; readonly endBlock: string; readonly isCopied: boolean };

/** Of a table or of all its partitions: which files they are (null: not such as can be told apart), and how many blocks each one has. */
export type TableFiles = { readonly files: string | null; readonly blocks: readonly number[]; readonly blockSize: number };

export async function readTableFiles(source: Session, { table }: StreamTable): Promise<TableFiles> {
  const row = (await source.query(tableFiles, [displayName(table.source)])).rows[0];
  return { files: row?.['files'] ?? null, blocks: JSON.parse(row?.['blocks'] ?? '[]') as readonly number[], blockSize: Number(row?.['block_size']) };
}

/** Where ranges of so many blocks end. A range is the same blocks of every partition, of those that have as many. */
export function rangeEnds(sizes: readonly number[], blocks: number): readonly number[] {
  const last = Math.max(0, ...sizes);
  const ends: number[] = [];
  let at = 0;
  do {
    let room = blocks;
    while (at < last && room > 0) {
      const open = sizes.filter((size) => size > at);
      const most = Math.max(Math.floor(room / open.length), room === blocks ? 1 : 0);
      if (most === 0) break;
      const step = Math.min(most, Math.min(...open) - at);
      at += step;
      room -= step * open.length;
    }
    ends.push(at);
  } while (at < last);
  return ends;
}

/**
 * Goes on with the copy that an earlier run has begun, or begins one: makes room, and writes down the ranges. Null when the table is copied
 * already.
 *
 * The ranges that are there stay if they are of this life of the stream, of the capture and the file that are there now, and if nothing
 * that came after their position can have been purged. Else the rows that they brought go.
 */
export async function beginRanges(
  copy: InitialCopy,
  at: { target: Session; table: StreamTable; file: TableFiles & { readonly files: string }; chunkBytes: number },
): Promise<RangedTable | null> {
  const { target, table, file } = at;
  const { stream, failpoint } = copy;
  const names = [stream.sync, stream.source, table.relation];
  try {
    await target.batch([{ text: beginApply }, lockWatermark(stream.sync, stream.source)]);
    const found = await knownRanges(copy, at);
    if (found === 'copied' || 'ranged' in found) {
      await target.query(commitApply);
      return found === 'copied' ? null : found.ranged;
    }
    const own = await ownPosition(copy, target, table);
    if (found.isOfThisLife || !copy.replacesRows(table)) await refuseOwnWrites(copy, target, { table, since: found.ownPosition });
    const isEmpty = !found.isStale && !(await holdsRows(target, table));
    await makeRoom(copy, target, { table, holdsOurs: found.isStale, inRanges: true });
    if (isEmpty) await setAside(copy, target, table);
    await target.query(forgetRanges, names);
    const blocks = Math.max(1, Math.ceil(at.chunkBytes / file.blockSize));
    const more = [
      copy.registration,
      copy.captures[table.ordinal] ?? '',
      file.files,
      formatPosition(copy.reading.position),
      `{${rangeEnds(file.blocks, blocks).join(',')}}`,
      own,
    ];
    await target.query(insertRanges, [...names, ...more]);
    const rows = (await target.query(readRanges, names)).rows;
    await failpoint('copy.before-ranges');
    await target.query(commitApply);
    return rangedTable(table, rows, false);
  } catch (error) {
    if (target.isOpen()) await target.query(rollbackApply).catch(() => target.destroy());
    throw error;
  }
}

/** Ranges to go on with, or what is known of those that an earlier copy has left: whoever began the stream anew has said that the rows may go. */
type Known = { readonly ranged: RangedTable } | { readonly isStale: boolean; readonly isOfThisLife: boolean; readonly ownPosition: string | null };

async function knownRanges(copy: InitialCopy, { target, table, file }: { target: Session; table: StreamTable; file: TableFiles }): Promise<'copied' | Known> {
  const { stream, captures, registration } = copy;
  const capture = captures[table.ordinal] ?? '';
  const names = [stream.sync, stream.source, table.relation];
  if ((await target.query(isCopied, [...names, capture])).count > 0) return 'copied';
  const rows = (await target.query(readRanges, names)).rows;
  const [first] = rows;
  if (first === undefined) return { isStale: false, isOfThisLife: false, ownPosition: null };
  const isSame = first['registration'] === registration && first['capture'] === capture && first['files'] === file.files;
  const isOfThisLife = first['registration'] === registration;
  if (isSame && isKept(copy, parsePosition(first['position'] ?? ''))) return { ranged: rangedTable(table, rows, true) };
  return { isStale: true, isOfThisLife, ownPosition: first['own_position'] ?? null };
}

function isKept({ reading, acknowledged }: InitialCopy, position: Position): boolean {
  if (!sameHistory(position.history, reading.position.history) || !covers(reading.position, position)) return false;
  return acknowledged === null || (sameHistory(acknowledged.history, position.history) && covers(position, acknowledged));
}

function rangedTable(table: StreamTable, rows: readonly Row[], isResumed: boolean): RangedTable {
  const [first] = rows;
  return {
    table,
    copy: first?.['copy'] ?? '',
    position: first?.['position'] ?? '',
    files: first?.['files'] ?? '',
    ownPosition: first?.['own_position'] ?? null,
    isResumed,
    ranges: rows.map((row) => ({
      number: row['number'] ?? '',
      firstBlock: row['first_block'] ?? '',
      endBlock: row['end_block'] ?? '',
      isCopied: row['copied_rows'] !== null,
    })),
  };
}
