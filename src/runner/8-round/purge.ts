import type { PlanCapture, PlanDatabase } from '../../plan/plan.ts';
import { displayName } from '../../sql/quote.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../events.ts';
import type { Failpoint } from '../failpoint.ts';
import { type History, parsePosition, type Position, positionSettings, sameHistory } from '../../plan/position.ts';
import { sqlState } from '../postgres/connection-failure.ts';
import type { Session } from '../postgres/session.ts';
import { textArray } from '../postgres/text-array.ts';
import {
  announceMarks,
  announceRegistry,
  begin,
  boundLock,
  commit,
  hasUncovered,
  isAsPlanned,
  lockSegment,
  lockSegments,
  loseInCrash,
  markEmpty,
  notMarkedEmpty,
  readCurrent,
  readLockHolders,
  readPositions,
  readSegments,
  rollback,
  setCurrent,
  truncateSegment,
} from './purge.sql.ts';

/** When a table's current segment is left for the next one, so that it can be emptied: at this size, or after so long without growth. */
export type Switching = { readonly aboveBytes: number; readonly idleMs: number };

export const SWITCHING: Switching = { aboveBytes: 8 * 1024 * 1024, idleMs: 30_000 };

export type PurgeOptions = {
  readonly database: string;
  readonly plan: PlanDatabase;
  readonly session: Session;
  readonly history: History;
  readonly log: Log;
  readonly failpoint: Failpoint;
  readonly switching: Switching;
  readonly memory: PurgeMemory;
  readonly clock: Clock;
};

/** What one purging process remembers from pass to pass. */
export type PurgeMemory = {
  /** Transactions that kept a segment locked for longer than we wait. They are not waited for again: rounds would queue behind us each time. */
  readonly outlasting: Set<string>;
  /** By delta table: the holders that running streams were told of. */
  readonly announced: Map<string, string>;
  /** What the last pass saw of the current segments, by name. */
  readonly lingering: Map<string, { readonly bytes: number; readonly since: number }>;
};

export function newPurgeMemory(): PurgeMemory {
  return { outlasting: new Set(), announced: new Map(), lingering: new Map() };
}

/**
 * Empties every segment of which every registered target has all changes on disk, and switches a table to an empty segment when its
 * current one is large.
 *
 * Why nothing can be lost: readers read all segments, so it never matters which one a trigger wrote to; a segment is emptied only
 * under its exclusive lock, after a snapshot taken under that lock has shown that every change in it is covered by every
 * acknowledged position; and a reader with an older snapshot reads from a position that covers them too. A position counts for the
 * captures alone that whoever acknowledged it knew of: a runner with the plan of before moves past changes of a table that came since,
 * which its target lacks. A stream without a position that counts, or with one of another history, holds everything. A detached stream holds nothing; should it still be running, it sees
 * `sarrio.registry` changed at the look that could miss something, since that changes before anything is emptied without it.
 *
 * @returns Whether there is nothing to do until somebody writes: all tables were empty, and marked so.
 */
export async function purge(options: PurgeOptions): Promise<boolean> {
  const { plan, session, memory } = options;
  const all = plan.captures.flatMap(({ segments }) => segments);
  const sizes = await segmentSizes(session, all);
  if (memory.outlasting.size > 0) await forgetEnded(options, all);
  const isEmpty = ({ segments }: PlanCapture): boolean => segments.every((segment) => (sizes.get(segment) ?? 0) === 0);
  for (const capture of plan.captures) if (!isEmpty(capture)) await purgeCapture(options, capture, sizes);
  const empty = plan.captures.filter(isEmpty);
  const marked = await markEmptyCaptures(session, empty);
  return empty.length === plan.captures.length && marked === 0;
}

/**
 * Says of empty delta tables that rounds need not look into them. Whoever holds all segments exclusively and finds them empty knows
 * that no transaction has an entry in one that is not committed yet (its lock would stand until its end), and every later one
 * looks at the flag after it has written.
 *
 * @returns How many were not marked yet.
 */
async function markEmptyCaptures(session: Session, captures: readonly PlanCapture[]): Promise<number> {
  const flags = captures.map(({ filled }) => filled);
  const rows = flags.length > 0 ? (await session.query(notMarkedEmpty, [textArray(flags)])).rows : [];
  for (const { place } of rows) {
    const capture = captures[Number(place)];
    if (capture) await markEmptyCapture(session, capture);
  }
  if (rows.length > 0) await session.query(announceMarks);
  return rows.length;
}

async function markEmptyCapture(session: Session, { filled, segments }: PlanCapture): Promise<void> {
  try {
    await session.query(begin);
    await session.query(loseInCrash);
    await session.query(lockSegments(segments));
    await session.query(markEmpty, [filled, textArray(segments)]);
    await session.query(commit);
  } catch (error) {
    if (session.isOpen()) await session.query(rollback);
    if (sqlState(error) !== '55P03') throw error;
  }
}

async function purgeCapture(options: PurgeOptions, capture: PlanCapture, sizes: Map<string, number>): Promise<void> {
  const { session, failpoint } = options;
  const current = Number((await session.query(readCurrent, [capture.current])).rows[0]?.['current'] ?? 1);
  for (const [index, segment] of capture.segments.entries()) {
    const bytes = sizes.get(segment) ?? 0;
    if (index + 1 === current || bytes === 0) continue;
    // Asked before the lock too: a target that is away for days must not make us lock a segment in vain every few seconds.
    if (await isNeeded(options, capture, segment)) continue;
    if (await emptySegment(options, { capture, segment, bytes })) sizes.set(segment, 0);
  }
  const next = capture.segments.findIndex((segment, index) => index + 1 !== current && sizes.get(segment) === 0);
  const segment = capture.segments[current - 1] ?? '';
  if (next < 0 || !isDue(options, segment, sizes.get(segment) ?? 0)) return;
  await failpoint('purge.before-switch');
  await session.query(setCurrent, [capture.current, String(next + 1)]);
  await failpoint('purge.after-switch');
}

function isDue({ switching, memory, clock }: PurgeOptions, segment: string, bytes: number): boolean {
  const { lingering } = memory;
  const now = clock.now();
  const before = lingering.get(segment);
  const since = before?.bytes === bytes ? before.since : now;
  lingering.set(segment, { bytes, since });
  return bytes > switching.aboveBytes || (bytes > 0 && now - since >= switching.idleMs);
}

type Holders = { readonly names: string; readonly positions: readonly Position[] | null };

/** All registered streams that read this capture; no positions when one of them holds everything. */
async function holdersOf({ session, history }: PurgeOptions, capture: PlanCapture): Promise<Holders> {
  const rows = (await session.query(readPositions, [textArray(capture.syncs), capture.delta])).rows;
  const names = JSON.stringify(rows.map(({ sync, target, registration }) => [sync, target, registration]));
  const positions: Position[] = [];
  for (const { position } of rows) {
    if (!position) return { names, positions: null };
    const parsed = parsePosition(position);
    if (!sameHistory(parsed.history, history)) return { names, positions: null };
    positions.push(parsed);
  }
  return { names, positions };
}

async function emptySegment(options: PurgeOptions, full: { capture: PlanCapture; segment: string; bytes: number }): Promise<boolean> {
  const { session, failpoint, log, database, memory } = options;
  const { capture, segment, bytes } = full;
  if ((await lockHolders(session, [segment])).some((holder) => memory.outlasting.has(holder))) return false;
  try {
    await session.query(begin);
    await failpoint('purge.before-lock');
    await session.query(boundLock);
    await session.query(lockSegment(segment));
    // All asked again under the lock: a target that registers later copies from a snapshot that covers all that is emptied here.
    const needed = !(await isCapturedAsPlanned(options, capture)) || (await isNeeded(options, capture, segment));
    await failpoint('purge.before-truncate');
    if (!needed) await session.query(truncateSegment(segment));
    await failpoint('purge.before-commit');
    await session.query(commit);
    await failpoint('purge.after-commit');
    if (!needed) log({ kind: 'purged', database, table: displayName(capture.table), bytes });
    return !needed;
  } catch (error) {
    if (session.isOpen()) await session.query(rollback).catch(() => session.destroy());
    if (sqlState(error) !== '55P03') throw error;
    for (const holder of await lockHolders(session, [segment])) memory.outlasting.add(holder);
    return false;
  }
}

async function lockHolders(session: Session, segments: readonly string[]): Promise<readonly string[]> {
  return (await session.query(readLockHolders, [textArray(segments)])).rows.map(({ holder }) => holder ?? '');
}

async function forgetEnded({ session, memory }: PurgeOptions, segments: readonly string[]): Promise<void> {
  const running = new Set(await lockHolders(session, segments));
  for (const holder of memory.outlasting) if (!running.has(holder)) memory.outlasting.delete(holder);
}

/** Asked under the segment's lock, so that an apply which comes later copies from a snapshot that covers all that is emptied here. */
async function isCapturedAsPlanned({ session, plan }: PurgeOptions, capture: PlanCapture): Promise<boolean> {
  const objects = plan.objects.filter(({ group, kind }) => group === displayName(capture.table) && kind === 'function');
  const lists = [objects.map(({ kind }) => kind), objects.map(({ name }) => name), objects.map(({ hash }) => hash)].map(textArray);
  return (await session.query(isAsPlanned, lists)).rows[0]?.['is_as_planned'] === 't';
}

/** Whether a stream still needs something of the segment. Before it says no for the first time without a stream, running ones are told. */
async function isNeeded(options: PurgeOptions, capture: PlanCapture, segment: string): Promise<boolean> {
  const { session, memory } = options;
  const { names, positions } = await holdersOf(options, capture);
  if (positions === null) return true;
  if (memory.announced.get(capture.delta) !== names) {
    await session.query(announceRegistry);
    memory.announced.set(capture.delta, names);
  }
  for (const position of positions) {
    const { xmax, xip, extra } = positionSettings(position);
    const row = (await session.query(hasUncovered(segment), [xmax, xip, extra])).rows[0];
    if (row?.['has_uncovered'] === 't') return true;
  }
  return false;
}

async function segmentSizes(session: Session, segments: readonly string[]): Promise<Map<string, number>> {
  const rows = (await session.query(readSegments, [textArray(segments)])).rows;
  return new Map(rows.map((row) => [row['name'] ?? '', Number(row['bytes'])]));
}
