import type { Failpoint } from '../../failpoint.ts';
import { copyBetween } from '../../postgres/copy.ts';
import type { Session } from '../../postgres/session.ts';
import { beginReading, endReading, setPosition } from '../../8-round/source.sql.ts';
import { bucketMask, type Buckets, differingBuckets, rowsIn, sumBuckets } from '../../8-round/comparing/buckets.ts';
import { setBuckets } from '../../8-round/comparing/comparing.sql.ts';
import { beginCompare, commitCompare, holdDelta, rollback } from '../verify.sql.ts';
import { ALL_ALIKE, type MastersDifferences } from './masters-result.ts';
import { beginHold, readClock, setMember } from './masters.sql.ts';
import { isStillKnown, type Origins, type Party, readiness, readOrigins, readSeenBy, type Seen, seenByAll } from './party.ts';
import { readMastersDifferences } from './read-differences.ts';
import type { MastersTable } from './select-masters.ts';

/** One table of a multi-master sync, with the members that are compared: two at least. */
export type MastersComparison = {
  readonly table: MastersTable;
  readonly parties: readonly Party[];
  /** Where the hashes of all meet; the table of differences stays in this session for a repair. */
  readonly place: Session;
  readonly buckets: Buckets;
  readonly limit: number;
  readonly failpoint: Failpoint;
};

export type MastersCompared =
  | {
      readonly kind: 'compared';
      readonly rows: Readonly<Record<string, number>>;
      readonly differences: MastersDifferences;
      /** A moment before the snapshots, by the clock of the place. */
      readonly at: string;
    }
  /** These cannot be compared with the others at this moment. */
  | { readonly kind: 'waits'; readonly waiting: readonly { readonly party: Party; readonly reason: string }[] };

/**
 * Compares one table of all members, in two steps as one way: sums of all sides, each in a snapshot of its own, then exactly what differs.
 */
export async function compareMasters(comparison: MastersComparison): Promise<MastersCompared> {
  const { table, parties, place, buckets } = comparison;
  const at = (await place.query(readClock)).rows[0]?.['now'] ?? '';
  const early = await readinessNow(comparison);
  if (early.length > 0) return { kind: 'waits', waiting: early };
  const sums = await allOf(parties.map(({ reader }) => sumBuckets(reader, table.stream.verify.sumSource, buckets)));
  const rows = Object.fromEntries(parties.map(({ name }, index) => [name, rowsIn(sums[index] ?? new Map())]));
  await comparison.failpoint('verify.after-scan');
  const [first, ...others] = sums;
  const differing = others.map((other) => differingBuckets(first ?? new Map(), other));
  const wanted = buckets.map((_, bucket) => differing.some((each) => each[bucket] === true));
  if (!wanted.includes(true)) return { kind: 'compared', rows, differences: ALL_ALIKE, at };
  const found = await lookOnce(comparison, wanted);
  return 'waiting' in found ? { kind: 'waits', waiting: found.waiting } : { kind: 'compared', rows, differences: found, at };
}

type Waiting = readonly { readonly party: Party; readonly reason: string }[];

/** Waits for all of them even when one fails, so that no statement is under way in a session that is used again. */
async function allOf<T>(tasks: readonly Promise<T>[]): Promise<readonly T[]> {
  const ended = await Promise.allSettled(tasks);
  return ended.map((each) => {
    if (each.status === 'rejected') throw each.reason;
    return each.value;
  });
}

async function originsOf({ table, parties }: MastersComparison): Promise<ReadonlyMap<string, Origins>> {
  const read = parties.map(async (party): Promise<readonly [string, Origins]> => {
    const others = parties.filter((other) => other !== party);
    return [party.name, await readOrigins(table, party, others)];
  });
  return new Map(await allOf(read));
}

/** Before any row is read: a member that is being copied would differ in everything. */
async function readinessNow(comparison: MastersComparison): Promise<Waiting> {
  const { table, parties } = comparison;
  const origins = await originsOf(comparison);
  return waitingOf(table, await allOf(parties.map((party) => readSeenBy(table, party))), origins);
}

function waitingOf(table: MastersTable, seen: readonly Seen[], origins: ReadonlyMap<string, Origins>): Waiting {
  return seen.flatMap((each) => {
    const ready = readiness(table, each, origins);
    return ready.kind === 'ready' ? [] : [{ party: each.party, reason: ready.reason }];
  });
}

/**
 * The order is the proof (docs/ARCHITECTURE.md). First every delta table is held, so that nothing is purged, and every table, so that
 * nobody truncates it, which no snapshot would hide. Then each member's snapshot is taken, with what it has seen of the others; when all
 * are taken, what each has recorded that some other had not seen or that came after its own snapshot: these keys are on their way.
 */
async function lookOnce(comparison: MastersComparison, buckets: Buckets): Promise<MastersDifferences | { readonly waiting: Waiting }> {
  const { table, parties, place, failpoint } = comparison;
  const { verify } = table.table.masters;
  const origins = await originsOf(comparison);
  await place.query(verify.createStage);
  try {
    await allOf(parties.map((party) => hold(table, party)));
    await place.query(beginCompare);
    const seen: Seen[] = [];
    for (const party of parties) {
      seen.push(await readSeenBy(table, party));
      await failpoint(`verify.after-snapshot-at-${party.name}`);
    }
    const waiting = [...waitingOf(table, seen, origins), ...(await bringPending(comparison, seen, origins))];
    if (waiting.length > 0) return await endLook(comparison, { waiting });
    for (const party of parties) await bringHashes(comparison, party, buckets);
    await place.query(verify.findDifferences, [String(parties.length)]);
    const differences = await readMastersDifferences(place, { table: table.table, parties, limit: comparison.limit });
    await place.query(commitCompare);
    return differences;
  } catch (error) {
    await Promise.all([place, ...parties.flatMap(({ holder, reader }) => [holder, reader])].map(abandon));
    throw error;
  }
}

/** LOCK TABLE takes no snapshot. */
async function hold({ stream, delta }: MastersTable, { holder, reader }: Party): Promise<void> {
  await holder.batch([beginHold]);
  await holder.query(holdDelta(delta));
  await reader.batch([beginReading]);
  await reader.query(stream.verify.lockSource);
}

async function bringPending({ table, place }: MastersComparison, seen: readonly Seen[], origins: ReadonlyMap<string, Origins>): Promise<Waiting> {
  const { verify } = table.stream;
  const waiting: { party: Party; reason: string }[] = [];
  await place.batch([setMember(-1)]);
  for (const one of seen) {
    const { party } = one;
    await party.holder.batch([setPosition(seenByAll(one, seen, origins))]);
    await copyBetween({ session: party.holder, text: verify.copyPending }, { session: place, text: verify.loadStage });
    if (!(await isStillKnown(table, party, origins))) waiting.push({ party, reason: 'one of its streams began anew meanwhile' });
    await party.holder.query(rollback);
  }
  return waiting;
}

async function bringHashes({ table, place }: MastersComparison, { index, reader }: Party, buckets: Buckets): Promise<void> {
  const { verify } = table.stream;
  await place.batch([setMember(index)]);
  await reader.batch([setBuckets(bucketMask(buckets))]);
  await copyBetween({ session: reader, text: verify.copyHashes }, { session: place, text: verify.loadStage });
  await reader.query(endReading);
}

/** Ends the transactions and hands on why. */
async function endLook<T>({ parties, place }: MastersComparison, why: T): Promise<T> {
  await Promise.all([place, ...parties.flatMap(({ holder, reader }) => [holder, reader])].map((session) => session.query(rollback)));
  return why;
}

/** Leaves no transaction open in a session that may be used again. */
async function abandon(session: Session): Promise<void> {
  if (session.isOpen()) await session.query(rollback).catch(() => session.destroy());
}
