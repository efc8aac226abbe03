import { formatPosition } from '../../plan/position.ts';
import { textArray } from '../postgres/text-array.ts';
import { type Acknowledger, makeAcknowledger } from './acknowledge.ts';
import { applyRound } from './apply-round.ts';
import { forgetStops, heldTables, isWorthAnotherLook, stoppedError, stopTables } from './changed-tables/hold-tables.ts';
import { ReadTooLate } from './changed-tables/read-too-late.ts';
import { makeTableWatch, type TableWatch } from './changed-tables/table-watch.ts';
import { sourcesOf } from './counting.ts';
import { holdBack, mayLook, rest } from './guard/await-approval.ts';
import { type Guard, type Hold, makeGuard } from './guard/guard.ts';
import { makeHeart } from './heartbeat.ts';
import { keepRows } from './keep-rows.ts';
import { makePace } from './pace.ts';
import { acknowledge, copyWhatIsMissing, isWhole, joined, type Place, startPlace, takeCopied } from './place.ts';
import type { Reading } from './reading.ts';
import { putStrayBack } from './ranges/set-aside.ts';
import { isStillRegistered } from './registration.ts';
import { type Carrier, makeCarrier } from './sequences/carrier.ts';
import { readResting, readStreamStart, type StreamStart } from './stream-target.ts';
import { leaveUnknown } from './target.sql.ts';
import { type StreamTable, streamTables, type TableWork, workOf } from './work.ts';
import { writeAlone } from './write-alone.ts';
import type { Following } from './following.ts';

/** Longest wait without looking at the source, the target's connection and the signal. */
const LONGEST_WAIT_MS = 5_000;
/** `again` when the source says that this is another stream now, or that it shall rest: to be started anew. */
export type FollowEnd = 'stopped' | 'done' | 'again';

/** Copies what is missing, then applies round after round until the signal, an error, or (when asked so) nothing is pending. */
export async function followStream(following: Following): Promise<FollowEnd> {
  const { sync, stream, source, target, signal, wake, clock, deltas, failpoint } = following;
  const tables = streamTables(sync, stream.target, deltas);
  const start = await readStart(following, tables);
  if (sync.copy?.rebuildIndexes) await putStrayBack(following, target);
  if (start.historyChange) following.log({ kind: 'history-changed', stream, ...start.historyChange });
  const watch = makeTableWatch({ stream, tables, shapes: following.shapes, target, clock, resting: start.resting });
  const place = await startPlace(following, tables, { start, watch });
  const acknowledger = makeAcknowledger({ stream, source, target, registration: start.registration, deltas, clock, failpoint });
  const heart = makeHeart(target, clock);
  const carrier = makeCarrier({ stream, sequences: sync.sequences, source, target, clock, log: following.log });
  const pace = makePace(clock);
  const guard = makeGuard({ ...following, guard: sync.guard, registration: start.registration.id });
  await forgetStops({ stream, target });
  const ends = watchEnds(following);
  following.enter('running', null);
  let inRow = 0;
  while (!signal.aborted) {
    if (ends.ended) throw new Error(target.isOpen() ? 'the connection to the source was lost' : 'the connection to the target was lost');
    if (place.copyError !== null) throw place.copyError;
    if (place.hasCopied) await takeCopied(following, tables, { start, place, watch });
    if (guard !== null && !(await mayLook(following, { guard, registry: place.registry }))) {
      await acknowledge(place, acknowledger);
      await rest(following, heart);
      continue;
    }
    const generation = wake.generation();
    const looked = await lookOnce(following, tables, { place, carrier, watch, guard });
    if (looked === 'again') continue;
    if (looked === 'registry') {
      if (!(await goesOn(following, tables, { start, place, watch }))) return leave(place);
      continue;
    }
    following.onProgress();
    await acknowledge(place, acknowledger);
    if (typeof looked === 'object' && 'hold' in looked) {
      await holdBack(following, looked.hold);
      continue;
    }
    following.enter('running', null);
    if (carrier !== null) await carrier.tick();
    if (following.until !== 'stopped' && looked === 'nothing' && place.stops.size > 0) throw stoppedError(place, { stream, tables });
    if (following.until === 'once' && isWhole(place)) return finish(place, { acknowledger, carrier });
    if (looked !== 'nothing') {
      inRow += 1;
      await wake.found(inRow);
      const pause = pace.after(looked.entries, inRow);
      if (pause > 0) await gather(following, pause);
      if (wake.generation() !== generation) continue;
    } else if (following.until === 'caught-up' && isWhole(place)) return finish(place, { acknowledger, carrier });
    inRow = 0;
    await heart.beat();
    await wake.wait(generation, Math.min(LONGEST_WAIT_MS, acknowledger.dueIn(), watch.dueIn()));
  }
  await place.copying;
  return 'stopped';
}

/** Whoever holds changes back, or the tables that rest, may be others by now: whether this still is the same stream. */
async function goesOn(following: Following, tables: readonly StreamTable[], { start, place, watch }: Parameters<typeof takeCopied>[2]): Promise<boolean> {
  const { stream, source, target } = following;
  const registry = await isStillRegistered(stream, { source, id: start.registration.id });
  if (registry === null) return false;
  place.registry = registry;
  watch.rest(await readResting(target, stream));
  copyWhatIsMissing(following, tables, { start, place, watch });
  return true;
}

/** Whether a connection of its was lost; then nobody is left waiting. */
function watchEnds({ source, target, wake }: Following): { ended: boolean } {
  const ends = { ended: false };
  const stop = (): void => {
    ends.ended = true;
    wake.kick();
  };
  source.onLost(stop);
  target.onLost(stop);
  return ends;
}

/** Before anything else: what this plan does not know stays where it is, for whoever knows it. */
async function readStart({ sync, stream, source, target, deltas }: Following, tables: readonly StreamTable[]): Promise<StreamStart> {
  await writeAlone(target, { text: leaveUnknown, values: [stream.sync, stream.source, textArray(tables.map(({ relation }) => relation))] });
  const ends = { stream, source, target, tables, deltas };
  const start = await readStreamStart(ends);
  return sync.existingRows === 'keep' && (await keepRows(ends, tables, start)) ? readStreamStart(ends) : start;
}

/** Between two rounds under load. */
async function gather({ wake, clock, signal }: Following, ms: number): Promise<void> {
  wake.gathering(ms);
  await clock.sleep(ms, signal);
}

/** What a look led to; a round with the entries that it worked through. */
type Looked = 'registry' | 'again' | 'nothing' | { readonly entries: number } | { readonly hold: Hold };

type At = { readonly place: Place; readonly carrier: Carrier | null; readonly watch: TableWatch; readonly guard: Guard | null };

/** One look at the source and, when something is pending, one round. Nothing that it saw counts if the registry has changed: it may have been emptied. */
async function lookOnce(following: Following, tables: readonly StreamTable[], at: At): Promise<Looked> {
  const { place, watch } = at;
  const work: TableWork[] = [];
  let reading: Reading | null = null;
  try {
    reading = await following.source.open(place.seen, sourcesOf(following.sync.tables, place.locks));
    if (reading.registry !== place.registry) return 'registry';
    await stopTables({ ...following, tables, watch }, place, reading);
    work.push(...(await workOf(reading, tables, place)));
    const looked =
      work.length === 0 && !place.isOfOldHistory ? nothingIn(following, reading, place) : await applyWork(following, tables, { ...at, reading, work });
    place.isSecondLook = false;
    place.locks = [];
    return looked;
  } catch (error) {
    const { target, stream } = following;
    const parts = { watch, target, work, isFirst: !place.isSecondLook, readResting: () => readResting(target, stream) };
    if (!(await isWorthAnotherLook(error, parts))) throw error;
    place.isSecondLook = true;
    if (error instanceof ReadTooLate) place.locks = [...new Set([...place.locks, ...work.map(({ ordinal }) => ordinal)])];
    return 'again';
  } finally {
    await reading?.release();
  }
}

function nothingIn({ progress, log, stream }: Following, reading: Reading, place: Place): Looked {
  if (reading.isOnDisk) place.seen = reading.position;
  if (!progress.isCaughtUp && place.copying === null && place.stops.size === 0) {
    progress.isCaughtUp = true;
    log({ kind: 'caught-up', stream });
  }
  return 'nothing';
}

async function applyWork(
  following: Following,
  tables: readonly StreamTable[],
  { place, carrier, watch, guard, reading, work }: At & { readonly reading: Reading; readonly work: readonly TableWork[] },
): Promise<Looked> {
  const { stream, target, clock, failpoint, progress, log } = following;
  const started = clock.now();
  progress.isCaughtUp = false;
  const entries = work.reduce((sum, each) => sum + each.entries, 0);
  const hold = guard === null ? null : await guard.judge(reading, work);
  if (hold !== null) return { hold };
  if (carrier !== null) await carrier.beforeRound(entries);
  const result = await applyRound({ stream, reading, target, work, stored: place.stored, watch, held: heldTables(place, tables), failpoint });
  place.stored = formatPosition(reading.position);
  place.seen = reading.position;
  place.isOfOldHistory = false;
  place.states = joined(place.states, work);
  progress.rows += result.rows;
  progress.lastRound = true;
  log({ kind: 'round', stream, rows: result.rows, tables: work.length, path: result.path, ms: clock.now() - started });
  return { entries };
}

/** A copy under way ends first: its transactions are whole or not at all. */
async function leave(place: Place): Promise<'again'> {
  await place.copying;
  return 'again';
}

/** Before it ends, the runner carries the sequences once more, has the target put on disk what it committed, and acknowledges it. */
async function finish(place: Place, { acknowledger, carrier }: { readonly acknowledger: Acknowledger; readonly carrier: Carrier | null }): Promise<'done'> {
  await carrier?.carry();
  await acknowledger.settle(place.stored);
  return 'done';
}
