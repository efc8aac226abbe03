import type { Flow } from '../../../plan/flows.ts';
import { beforeAll, formatPosition, type History, intersection, parsePosition, type Position, sameHistory } from '../../../plan/position.ts';
import type { Clock } from '../../clock.ts';
import type { Log, StreamName } from '../../events.ts';
import type { Failpoint } from '../../failpoint.ts';
import type { Session } from '../../postgres/session.ts';
import { textArray } from '../../postgres/text-array.ts';
import { readTables } from '../../5-inspect/read-tables.ts';
import { type Acknowledger, makeAcknowledger } from '../acknowledge.ts';
import { stoppedError } from '../changed-tables/hold-tables.ts';
import { sourceFaults, targetFaults } from '../changed-tables/shape-faults.ts';
import { restStop, shapeStop } from '../changed-tables/table-stop.ts';
import { restingTables, type StreamShapes } from '../changed-tables/table-watch.ts';
import { existingRowsOf } from '../existing-rows.ts';
import { beatDuring } from '../heartbeat.ts';
import { copySettings } from '../copy-settings.ts';
import { copyMissing } from '../initial-copy.ts';
import type { Joining } from '../copying.ts';
import type { Reading } from '../reading.ts';
import { readRegistration } from '../registration.ts';
import { readStreamStart, type StreamPlace, type StreamStart } from '../stream-target.ts';
import { beginApply, commitApply } from '../target.sql.ts';
import { type StreamTable, streamTables } from '../work.ts';
import { writeAlone } from '../write-alone.ts';
import {
  adoptWatermark,
  inheritWatermarks,
  insertMasterWatermark,
  joinAll,
  keepTables,
  lostCaptures,
  noteCopy,
  otherAcknowledged,
  seedWatermarks,
} from './masters.sql.ts';
import { forgetHeld, forgetHeldTables, holdCopied, seedHeld } from './held.sql.ts';
import type { Live } from './slot.ts';

/** One directed pair of members. */
export type Pair = {
  readonly stream: StreamName;
  /** What flows from the source. */
  readonly flow: Flow;
  /** Delta tables of the source by ordinal. */
  readonly deltas: readonly string[];
  /** The member whose rows the others are copied from when they join. */
  readonly seed: string;
  /** The tables of the target as a source, by ordinal. */
  readonly own: Joining['tables'];
  /** Of copies; null leaves it to the config. */
  readonly jobs: number | null;
  readonly source: Live;
  readonly target: Live;
  readonly connectTarget: () => Promise<Session>;
  readonly clock: Clock;
  readonly log: Log;
  readonly failpoint: Failpoint;
  readonly onCopy: (tables: number) => void;
  readonly shapes: StreamShapes;
  /** Databases that others of a ring bring changes of. */
  readonly ring: readonly string[];
};

/**
 * Makes a pair ready for rounds: refuses to follow on where that would leave a gap, copies what the target does not hold yet from the
 * sync's first member, and lets everything else that is kept be pending.
 */
export async function joinPair(pair: Pair): Promise<Acknowledger> {
  const { stream, flow, deltas, source, target, seed, clock, failpoint, log } = pair;
  const { tables, start } = await readStart(pair);
  source.registry = start.registration.registry;
  if (start.stored === null) await writeAlone(target.session, { text: forgetHeld, values: [stream.sync, stream.source] });
  if (start.historyChange) log({ kind: 'history-changed', stream, ...start.historyChange });
  if (flow.existingRows === 'keep') await keep(pair, start, tables);
  else if (stream.source === seed) await joinSeed(pair, start, tables);
  else if (start.stored === null) await beginPair(pair, start);
  return makeAcknowledger({ stream, source: source.source, target: target.session, registration: start.registration, deltas, clock, failpoint });
}

/**
 * The copy of what the target does not hold yet of the sync's first member, to be made before the pair is joined; null where nothing is missing.
 * It needs no round of the target and no other member. The rounds of the others may go on meanwhile: to them, and to what they keep, the
 * target is a member that is away.
 */
export async function missingCopy(pair: Pair): Promise<(() => Promise<void>) | null> {
  if (pair.flow.existingRows === 'keep') return null;
  const { tables, start } = await readStart(pair);
  const missing = await missingOf(pair, start, tables);
  return missing.length === 0 ? null : () => copy(pair, start, missing);
}

async function readStart({ stream, flow, deltas, source, target }: Pair): Promise<{ tables: readonly StreamTable[]; start: StreamStart }> {
  const tables = streamTables(flow, stream.target);
  const place: StreamPlace = { stream, source: source.source, target: target.session, tables, deltas };
  const { id } = await readRegistration(stream, source.source);
  await writeAlone(target.session, { text: adoptWatermark, values: [stream.sync, stream.source, id] });
  return { tables, start: await readStreamStart(place) };
}

async function joinSeed(pair: Pair, start: StreamStart, tables: readonly StreamTable[]): Promise<void> {
  const missing = await missingOf(pair, start, tables);
  if (missing.length > 0) await copy(pair, start, missing);
}

/** But for those that a migration lets rest until they have another capture, over the same rows; perhaps under another name by now. */
async function missingOf({ stream, target }: Pair, { states, resting }: StreamStart, tables: readonly StreamTable[]): Promise<readonly StreamTable[]> {
  const missing = tables.filter(({ ordinal }) => states[ordinal]?.kind === 'missing');
  if (missing.length === 0) return [];
  const lost = new Set((await target.session.query(lostCaptures, [stream.sync, stream.source])).rows.map((row) => row['relation'] ?? ''));
  const isRenamed = [...lost].some((name) => !tables.some(({ relation }) => relation === name));
  const waiting = new Set([...lost, ...(isRenamed ? restingTables(resting) : [])]);
  return missing.filter(({ relation }) => !waiting.has(relation));
}

/** The tables that were copied follow the watermark from now on; to be called after a round in which both took part. */
export async function joinCopied({ sync, source }: Pick<StreamName, 'sync' | 'source'>, target: Session): Promise<void> {
  await writeAlone(target, { text: joinAll, values: [sync, source] });
}

async function copy(pair: Pair, start: StreamStart, missing: readonly StreamTable[]): Promise<void> {
  const { stream, flow, source, target, connectTarget, clock, log, failpoint, onCopy } = pair;
  refuseResting(stream, start, missing);
  onCopy(missing.length);
  const reading = await source.source.open(start.position ?? beforeAll(source.history));
  const { captures, registration } = start;
  try {
    await refuseUnfit(pair, reading, missing);
    await inherit(pair, { reading, registration: registration.id, relations: missing.map(({ relation }) => relation) });
    await beatDuring(target.session, clock, () =>
      copyMissing({
        ...copySettings(flow, pair),
        joining: { history: target.history, tables: pair.own },
        stream,
        reading,
        connectTarget,
        missing,
        captures,
        registration: registration.id,
        acknowledged: null,
        ...existingRowsOf(flow, start),
        clock,
        log,
        failpoint,
      }),
    );
  } finally {
    await reading.release();
  }
}

/** What a migration is about to change is copied by the plan that comes after it, if at all. */
function refuseResting(stream: StreamName, { resting }: StreamStart, missing: readonly StreamTable[]): void {
  const names = new Set(restingTables(resting));
  const stops = missing.filter(({ relation }) => names.has(relation)).map(({ ordinal }) => [ordinal, restStop()] as const);
  if (stops.length > 0) throw stoppedError({ stops: new Map(stops) }, { stream, tables: missing });
}

/** A copy of a table that the plan does not fit would lack what is new in it. */
async function refuseUnfit({ stream, shapes, target }: Pair, reading: Reading, missing: readonly StreamTable[]): Promise<void> {
  const [ordinals, names] = [missing.map(({ ordinal }) => ordinal), missing.map(({ table }) => table.target)];
  const ends = [
    { database: stream.source, shapes: shapes.source, facts: await reading.facts(ordinals), faultsOf: sourceFaults },
    { database: stream.target, shapes: shapes.target, facts: await readTables(target.session, names, null), faultsOf: targetFaults },
  ];
  const stops = missing.flatMap(({ ordinal, relation }) => {
    const sides = ends.map(({ database, shapes: wanted, facts, faultsOf }) => {
      const shape = wanted[relation];
      return { database, table: relation, faults: shape === undefined ? [] : faultsOf(shape, facts.get(relation)) };
    });
    const wrong = sides.filter(({ faults }) => faults.length > 0);
    return wrong.length > 0 ? [[ordinal, shapeStop(wrong)] as const] : [];
  });
  if (stops.length > 0) throw stoppedError({ stops: new Map(stops) }, { stream, tables: missing });
}

/**
 * The rows that are copied hold what the seed has applied of the others: so do the watermarks. Of the seed itself the watermark is what
 * all others have seen: what one of them has not is brought by the first round, and leaves its trace here. Otherwise a member that is
 * away could overwrite it unseen. A table that comes to a member with watermarks of its own stands apart from them, where its rows do.
 */
async function inherit({ stream, source, target }: Pair, { reading, registration, relations }: Inheriting): Promise<void> {
  const bulk = await reading.openBulk();
  try {
    const inherited = (await bulk.query(seedWatermarks, [stream.sync])).rows.filter((row) => row['source'] !== stream.target);
    const held = (await bulk.query(seedHeld, [stream.sync])).rows;
    const others = (await bulk.query(otherAcknowledged, [stream.sync, stream.target])).rows.map((row) => row['position'] ?? null);
    const seen = formatPosition(intersection([reading.position, ...others.map((position) => seenBy(position, source.history))]));
    const marks = [...inherited, { source: stream.source, position: seen }];
    const stands = relations.flatMap((relation) =>
      marks.map((mark) => ({ ...mark, ...held.find((each) => each['relation'] === relation && each['source'] === mark['source']), relation })),
    );
    await target.session.batch([
      { text: beginApply },
      { text: inheritWatermarks, values: [stream.sync, JSON.stringify(inherited)] },
      { text: insertMasterWatermark, values: [stream.sync, stream.source, seen, registration] },
      { text: forgetHeldTables, values: [stream.sync, textArray(relations)] },
      { text: holdCopied, values: [stream.sync, JSON.stringify(stands)] },
      { text: noteCopy, values: [stream.sync, stream.source] },
      { text: commitApply },
    ]);
  } finally {
    await reading.giveBackBulk(bulk);
  }
}

type Inheriting = { readonly reading: Reading; readonly registration: string; readonly relations: readonly string[] };

function seenBy(position: string | null, history: History): Position {
  const parsed = position === null ? null : parsePosition(position);
  return parsed !== null && sameHistory(parsed.history, history) ? parsed : beforeAll(history);
}

/**
 * The rows are the same already, says the config: everything that is kept of the tables since their capture began is pending. A table that
 * comes to a pair with a watermark stands apart from it, since a runner that does not know the table yet may have moved the watermark past
 * changes of it.
 */
async function keep(pair: Pair, start: StreamStart, tables: readonly StreamTable[]): Promise<void> {
  const { stream, source, target, ring } = pair;
  if (start.stored === null) await beginPair(pair, start);
  const missing = await missingOf(pair, start, tables);
  if (missing.length === 0) return;
  const from = formatPosition(beforeAll(source.history));
  const kept = missing.map(({ relation, ordinal }) => ({ relation, capture: start.captures[ordinal] }));
  // In a ring others may bring what comes from databases that are no members: of these nobody has brought anything of the tables yet.
  const others = ring.map((source) => ({ source, position: null }));
  const stands = missing.flatMap(({ relation }) => [{ source: stream.source, position: from }, ...others].map((each) => ({ ...each, relation })));
  await target.session.batch([
    { text: beginApply },
    { text: keepTables, values: [stream.sync, stream.source, from, JSON.stringify(kept)] },
    { text: holdCopied, values: [stream.sync, JSON.stringify(stands)] },
    { text: commitApply },
  ]);
}

async function beginPair({ stream, source, target }: Pair, { registration }: StreamStart): Promise<void> {
  const values = [stream.sync, stream.source, formatPosition(beforeAll(source.history)), registration.id];
  await target.session.batch([{ text: beginApply }, { text: insertMasterWatermark, values }, { text: commitApply }]);
}
