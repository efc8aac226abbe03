import type { PlanCapture, PlanDatabase } from '../../plan/plan.ts';
import { displayName } from '../../sql/quote.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../events.ts';
import type { Failpoint } from '../failpoint.ts';
import { type History, parsePosition, type Position, positionSettings } from '../position.ts';
import { sqlState } from '../postgres/connection-failure.ts';
import type { Session } from '../postgres/session.ts';
import { textArray } from '../postgres/text-array.ts';
import {
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
  readPositions,
  readSegments,
  rollback,
  setCurrent,
  truncateSegment,
} from './purge.sql.ts';

/** When a table's current segment is left for the next one, so that it can be emptied: at this size, or after so long without growth. */
export type Switching = { readonly aboveBytes: number; readonly idleMs: number };

export const SWITCHING: Switching = { aboveBytes: 8 * 1024 * 1024, idleMs: 30_000 };

/** What the last purge saw of the current segments, by name. */
export type Lingering = Map<string, { readonly bytes: number; readonly since: number }>;

export type PurgeOptions = {
  readonly database: string;
  readonly plan: PlanDatabase;
  readonly session: Session;
  readonly history: History;
  readonly log: Log;
  readonly failpoint: Failpoint;
  readonly switching: Switching;
  readonly lingering: Lingering;
  readonly clock: Clock;
};

/**
 * Empties every segment of which every registered target has all changes on disk, and switches a table to an empty segment when its
 * current one is large.
 *
 * Why nothing can be lost: readers read all segments, so it never matters which one a trigger wrote to; a segment is emptied only
 * under its exclusive lock, after a snapshot taken under that lock has shown that every change in it is covered by every
 * acknowledged position; and a reader with an older snapshot reads from a position that covers them too. A stream without a
 * position, or with one of another history, holds everything.
 */
export async function purge(options: PurgeOptions): Promise<void> {
  const { plan, session } = options;
  const sizes = await segmentSizes(
    session,
    plan.captures.flatMap(({ segments }) => segments),
  );
  const isEmpty = ({ segments }: PlanCapture): boolean => segments.every((segment) => (sizes.get(segment) ?? 0) === 0);
  for (const capture of plan.captures) if (!isEmpty(capture)) await purgeCapture(options, capture, sizes);
  await markEmptyCaptures(session, plan.captures.filter(isEmpty));
}

/**
 * Says of empty delta tables that rounds need not look into them. Whoever holds all segments exclusively and finds them empty knows
 * that no transaction has an entry in one that is not committed yet (its lock would stand until its end), and every later one
 * looks at the flag after it has written.
 */
async function markEmptyCaptures(session: Session, captures: readonly PlanCapture[]): Promise<void> {
  const flags = captures.map(({ filled }) => filled);
  const rows = flags.length > 0 ? (await session.query(notMarkedEmpty, [textArray(flags)])).rows : [];
  for (const { place } of rows) {
    const capture = captures[Number(place)];
    if (capture) await markEmptyCapture(session, capture);
  }
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
  const positions = await positionsOf(options, capture);
  for (const [index, segment] of capture.segments.entries()) {
    const bytes = sizes.get(segment) ?? 0;
    if (index + 1 === current || bytes === 0 || positions === null) continue;
    if (await emptySegment(options, { capture, segment, positions, bytes })) sizes.set(segment, 0);
  }
  const next = capture.segments.findIndex((segment, index) => index + 1 !== current && sizes.get(segment) === 0);
  const segment = capture.segments[current - 1] ?? '';
  if (next < 0 || !isDue(options, segment, sizes.get(segment) ?? 0)) return;
  await failpoint('purge.before-switch');
  await session.query(setCurrent, [capture.current, String(next + 1)]);
}

function isDue({ switching, lingering, clock }: PurgeOptions, segment: string, bytes: number): boolean {
  const now = clock.now();
  const before = lingering.get(segment);
  const since = before?.bytes === bytes ? before.since : now;
  lingering.set(segment, { bytes, since });
  return bytes > switching.aboveBytes || (bytes > 0 && now - since >= switching.idleMs);
}

/** Positions of all registered streams that read this capture; null when one of them holds everything. */
async function positionsOf({ session, history }: PurgeOptions, capture: PlanCapture): Promise<readonly Position[] | null> {
  const rows = (await session.query(readPositions, [textArray(capture.syncs)])).rows;
  const positions: Position[] = [];
  for (const { position } of rows) {
    if (!position) return null;
    const parsed = parsePosition(position);
    if (parsed.history.timeline !== history.timeline || parsed.history.system !== history.system) return null;
    positions.push(parsed);
  }
  return positions;
}

async function emptySegment(
  options: PurgeOptions,
  full: { capture: PlanCapture; segment: string; positions: readonly Position[]; bytes: number },
): Promise<boolean> {
  const { session, failpoint, log, database } = options;
  const { capture, segment, positions, bytes } = full;
  try {
    await session.query(begin);
    await failpoint('purge.before-lock');
    await session.query(boundLock);
    await session.query(lockSegment(segment));
    const needed = !(await isCapturedAsPlanned(options, capture)) || (await isNeeded(session, segment, positions));
    await failpoint('purge.before-truncate');
    if (!needed) await session.query(truncateSegment(segment));
    await failpoint('purge.before-commit');
    await session.query(commit);
    if (!needed) log({ kind: 'purged', database, table: displayName(capture.table), bytes });
    return !needed;
  } catch (error) {
    if (session.isOpen()) await session.query(rollback).catch(() => session.destroy());
    if (sqlState(error) === '55P03') return false;
    throw error;
  }
}

/** Asked under the segment's lock, so that an apply which comes later copies from a snapshot that covers all that is emptied here. */
async function isCapturedAsPlanned({ session, plan }: PurgeOptions, capture: PlanCapture): Promise<boolean> {
  const objects = plan.objects.filter(({ group, kind }) => group === displayName(capture.table) && kind === 'function');
  const lists = [objects.map(({ kind }) => kind), objects.map(({ name }) => name), objects.map(({ hash }) => hash)].map(textArray);
  return (await session.query(isAsPlanned, lists)).rows[0]?.['is_as_planned'] === 't';
}

async function isNeeded(session: Session, segment: string, positions: readonly Position[]): Promise<boolean> {
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
