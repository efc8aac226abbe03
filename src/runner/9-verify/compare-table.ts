import type { Clock } from '../clock.ts';
import type { StreamName } from '../events.ts';
import type { Failpoint } from '../failpoint.ts';
import { positionAt, type Position } from '../../plan/position.ts';
import { copyBetween } from '../postgres/copy.ts';
import type { Session } from '../postgres/session.ts';
import { bothOf, type Buckets, bucketMask, differingBuckets, rowsIn, sumBuckets } from '../8-round/comparing/buckets.ts';
import { setBuckets } from '../8-round/comparing/comparing.sql.ts';
import { beginReading, endReading, exportSnapshot, importSnapshot, readAcknowledged, takeSnapshot } from '../8-round/source.sql.ts';
import { refuseLaggingSource } from '../8-round/stream-target.ts';
import type { StreamTable } from '../8-round/work.ts';
import { readDifferences } from './differences.ts';
import { type Origin, readOrigin, readTargetPlace } from './place.ts';
import { type Differences, NO_DIFFERENCES } from './table-result.ts';
import { beginCompare, commitCompare, holdDelta, rollback } from './verify.sql.ts';

/** A pending TRUNCATE makes every row pending; the round that brings it is short, so it is worth a few looks. */
const LOOKS = 5;
const LOOK_AGAIN_MS = 200;

/** One table of one stream, with the sessions that compare it. */
export type Comparison = {
  readonly stream: StreamName;
  readonly table: StreamTable;
  /** The delta table in the source, qualified. */
  readonly delta: string;
  /** Holds the delta table while the pending keys are read. */
  readonly source: Session;
  /** Reads the rows. */
  readonly reader: Session;
  readonly target: Session;
  readonly buckets: Buckets;
  /** At most so many keys are listed. */
  readonly limit: number;
  readonly clock: Clock;
  readonly failpoint: Failpoint;
  readonly signal: AbortSignal;
};

export type Compared =
  | { readonly kind: 'compared'; readonly rows: { readonly source: number; readonly target: number }; readonly differences: Differences }
  | { readonly kind: 'not-compared'; readonly reason: string };

/**
 * Compares one table in two steps. The first scans both sides once, each in a snapshot of its own, and finds the buckets in which
 * they differ, for whatever reason. The second reads only these again, in two snapshots that belong together, and is exact: what it
 * leaves is not pending, and so differs in earnest. The table of differences stays in the target's session for a repair.
 */
export async function compareTable(comparison: Comparison): Promise<Compared> {
  const { stream, table, delta, source, reader, target, buckets } = comparison;
  const origin = await readOrigin(source, stream, delta);
  const place = await readTargetPlace(target, { stream, relation: table.relation, origin });
  if (place.kind === 'nowhere') return { kind: 'not-compared', reason: place.reason };
  const [ours, theirs] = await bothOf(sumBuckets(reader, table.verify.sumSource, buckets), sumBuckets(target, table.verify.sumTarget, buckets));
  const rows = { source: rowsIn(ours), target: rowsIn(theirs) };
  await comparison.failpoint('verify.after-scan');
  const differing = differingBuckets(ours, theirs);
  if (!differing.includes(true)) return { kind: 'compared', rows, differences: NO_DIFFERENCES };
  const found = await differencesIn(comparison, differing);
  return 'reason' in found ? { kind: 'not-compared', reason: found.reason } : { kind: 'compared', rows, differences: found };
}

type NotCompared = { readonly reason: string };

async function differencesIn(comparison: Comparison, buckets: Buckets): Promise<Differences | NotCompared> {
  const { clock, signal } = comparison;
  for (let look = 1; ; look += 1) {
    const found = await lookOnce(comparison, buckets);
    if (found !== 'truncated') return found;
    if (look === LOOKS || signal.aborted) return { reason: 'a TRUNCATE of it is on its way to the target, which refreshes all its rows' };
    await clock.sleep(LOOK_AGAIN_MS, signal);
  }
}

/**
 * The order is the proof (docs/ARCHITECTURE.md): hold the delta table, so that nothing is purged, and the tables, so that nobody
 * truncates them, which no snapshot would hide; then the target's snapshot with its
 * watermark; then the source's, which therefore sees everything that the watermark covers; then the keys that are pending between
 * the two. The delta table is let go before the rows are read.
 */
async function lookOnce(comparison: Comparison, buckets: Buckets): Promise<Differences | NotCompared | 'truncated'> {
  const { stream, table, delta, source, reader, target, limit } = comparison;
  const origin = await readOrigin(source, stream, delta);
  await target.query(table.verify.createStage);
  try {
    await source.batch([beginReading]);
    await source.query(holdDelta(delta));
    await reader.batch([beginReading]);
    await reader.query(table.verify.lockSource);
    await target.query(beginCompare);
    await target.query(table.verify.lockTarget);
    const place = await readTargetPlace(target, { stream, relation: table.relation, origin });
    await comparison.failpoint('verify.after-target-snapshot');
    if (place.kind === 'nowhere') return await endLook(comparison, place);
    const seen = await readPending(comparison, { origin, position: place.position });
    if (seen !== 'read') return await endLook(comparison, seen);
    await comparison.failpoint('verify.after-source-snapshot');
    await copyHashes(comparison, buckets);
    await target.batch([setBuckets(bucketMask(buckets))]);
    await target.query(table.verify.findDifferences);
    const differences = await readDifferences(target, table, limit);
    await target.query(commitCompare);
    return differences;
  } catch (error) {
    await Promise.all([source, reader, target].map((session) => abandon(session)));
    throw error;
  }
}

/** Ends the transactions and hands on why. */
async function endLook<T>({ source, reader, target, table }: Comparison, why: T): Promise<T> {
  await source.query(rollback);
  await reader.query(rollback);
  await target.query(rollback);
  await target.query(table.verify.dropStage);
  return why;
}

/** Takes the source's snapshot, brings its pending keys to the target, and leaves the snapshot with the reader. */
async function readPending(comparison: Comparison, from: { origin: Origin; position: Position }): Promise<'read' | 'truncated' | NotCompared> {
  const { stream, table, source, reader, target } = comparison;
  const { origin, position } = from;
  const snapshot = (await source.batch([takeSnapshot(position)]))[0]?.lists[0]?.[0] ?? '';
  refuseLaggingSource(stream, position, positionAt(origin.history, snapshot));
  const registered = (await source.query(readAcknowledged, [stream.sync, stream.target])).rows[0];
  if (registered?.['registration'] !== origin.registration) return { reason: 'the stream began anew meanwhile' };
  if ((await source.query(table.verify.isTruncated)).rows[0]?.['is_truncated'] === 't') return 'truncated';
  const exported = (await source.query(exportSnapshot)).rows[0]?.['snapshot'] ?? '';
  await reader.query(importSnapshot(exported));
  await copyBetween({ session: source, text: table.verify.copyPending }, { session: target, text: table.verify.loadStage });
  await source.query(endReading);
  return 'read';
}

async function copyHashes({ table, reader, target }: Comparison, buckets: Buckets): Promise<void> {
  await reader.batch([setBuckets(bucketMask(buckets))]);
  await copyBetween({ session: reader, text: table.verify.copyHashes }, { session: target, text: table.verify.loadStage });
  await reader.query(endReading);
}

/** Leaves no transaction open in a session that may be used again. */
async function abandon(session: Session): Promise<void> {
  if (session.isOpen()) await session.query(rollback).catch(() => session.destroy());
}
