import type { StreamState } from '../events.ts';
import { formatPosition, type Position } from '../../plan/position.ts';
import type { Session } from '../postgres/session.ts';
import { type Acknowledger, makeAcknowledger } from './acknowledge.ts';
import { adoptRows } from './adopt-rows.ts';
import { applyRound } from './apply-round.ts';
import { awaitsApproval, type Guard, type Hold, makeGuard } from './guard/guard.ts';
import { findingsText } from './guard/finding.ts';
import { copyTables } from './copy-tables.ts';
import { beatDuring, type Heart, makeHeart } from './heartbeat.ts';
import { makePace } from './pace.ts';
import { isStillRegistered } from './registration.ts';
import { type Carrier, makeCarrier } from './sequences/carrier.ts';
import type { Source } from './source.ts';
import { readRegistry } from './source.sql.ts';
import type { CopyAside, StreamOptions } from './stream.ts';
import { readStreamStart, type StreamStart, tableStates } from './stream-target.ts';
import type { Wake } from './wake.ts';
import { type StreamTable, streamTables, type TableState, type TableWork, workOf } from './work.ts';

/** Longest wait without looking at the source, the target's connection and the signal. */
const LONGEST_WAIT_MS = 5_000;
/** How often a stream that waits for approval asks whether it has it. */
const ASK_APPROVAL_MS = 500;

/** A stream with both ends connected and the lease held. */
export type Following = StreamOptions & {
  readonly aside: CopyAside;
  readonly source: Source;
  readonly wake: Wake;
  readonly target: Session;
  readonly onProgress: () => void;
  readonly enter: (state: StreamState, reason: string | null) => void;
};

/** Where the stream is. `stored` is what the watermark row says, `seen` is where the next look starts: nothing was pending between, and the source cannot lose it. */
type Place = {
  stored: string;
  seen: Position;
  /** The stored watermark is of the history before the source's present one: the next round moves it, even when nothing is pending. */
  isOfOldHistory: boolean;
  registry: string;
  states: readonly TableState[];
  copying: Promise<void> | null;
  hasCopied: boolean;
  copyError: unknown;
};

/** `again` when the source says that this is another stream now, or that it shall rest: to be started anew. */
export type FollowEnd = 'stopped' | 'done' | 'again';

/** Copies what is missing, then applies round after round until the signal, an error, or (when asked so) nothing is pending. */
export async function followStream(following: Following): Promise<FollowEnd> {
  const { sync, stream, source, target, signal, wake, clock } = following;
  const tables = streamTables(sync, stream.target);
  const start = await readStart(following, tables);
  if (start.historyChange) following.log({ kind: 'history-changed', stream, ...start.historyChange });
  const place = await startPlace(following, tables, start);
  const acknowledger = makeAcknowledger({ stream, source, target, registration: start.registration, clock, failpoint: following.failpoint });
  const heart = makeHeart(target, clock);
  const carrier = makeCarrier({ stream, sequences: sync.sequences, source, target, clock, log: following.log });
  const pace = makePace(clock);
  const guard = makeGuard({ ...following, guard: sync.guard, registration: start.registration.id });
  const ends = watchEnds(following);
  following.enter('running', null);
  let inRow = 0;
  while (!signal.aborted) {
    if (ends.ended) throw new Error(target.isOpen() ? 'the connection to the source was lost' : 'the connection to the target was lost');
    if (place.copyError !== null) throw place.copyError;
    if (place.hasCopied) await takeCopied(following, tables, { start, place });
    if (guard !== null && !(await mayLook(following, { guard, place }))) {
      await rest(following, { place, acknowledger, heart });
      continue;
    }
    const generation = wake.generation();
    const looked = await lookOnce(following, tables, { place, carrier, guard });
    if (looked === 'registry') {
      const registry = await isStillRegistered(stream, { source, id: start.registration.id });
      if (registry === null) return leave(place);
      place.registry = registry;
      continue;
    }
    following.onProgress();
    if (typeof looked === 'object' && 'hold' in looked) {
      await holdBack(following, looked.hold);
      continue;
    }
    following.enter('running', null);
    if (isWhole(place)) await acknowledger.tick(place.stored);
    if (carrier !== null) await carrier.tick();
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
    await wake.wait(generation, Math.min(LONGEST_WAIT_MS, acknowledger.dueIn()));
  }
  await place.copying;
  return 'stopped';
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

async function readStart({ sync, stream, source, target, deltas }: Following, tables: readonly StreamTable[]): Promise<StreamStart> {
  const ends = { stream, source, target, tables, deltas };
  const start = await readStreamStart(ends);
  return sync.existingRows === 'keep' && (await adoptRows(ends, tables, start)) ? readStreamStart(ends) : start;
}

/** Whoever waits for approval looks again when it is given, or when the sync was paused or the stream begun anew. */
async function mayLook({ source }: Following, { guard, place }: { readonly guard: Guard; readonly place: Place }): Promise<boolean> {
  if (await guard.mayLook()) return true;
  return (await source.query(readRegistry)).rows[0]?.['registry'] !== place.registry;
}

/** What was applied before goes on to be acknowledged. */
async function rest({ clock, signal }: Following, on: { readonly place: Place; readonly acknowledger: Acknowledger; readonly heart: Heart }): Promise<void> {
  if (isWhole(on.place)) await on.acknowledger.tick(on.place.stored);
  await on.heart.beat();
  await clock.sleep(ASK_APPROVAL_MS, signal);
}

/** Triggers need not notify a stream that waits. */
async function holdBack({ until, stream, wake, enter }: Following, hold: Hold): Promise<void> {
  if (until !== 'stopped') throw awaitsApproval(stream, hold);
  enter('waiting', `for approval of ${findingsText(hold.findings)}: sarrio approve ${hold.id.slice(0, 8)}`);
  await wake.found(Number.POSITIVE_INFINITY);
}

/** Between two rounds under load. */
async function gather({ wake, clock, signal }: Following, ms: number): Promise<void> {
  wake.gathering(ms);
  await clock.sleep(ms, signal);
}

/** A new stream is copied before its first round, so that the first state it follows on from is whole; a table added later is copied aside. */
async function startPlace(following: Following, tables: readonly StreamTable[], start: StreamStart): Promise<Place> {
  const { stream, source } = following;
  if (start.stored !== null && start.position !== null) {
    const { registry } = start.registration;
    const isOfOldHistory = start.historyChange !== null;
    const place: Place = { ...NO_COPY, stored: start.stored, seen: start.position, isOfOldHistory, registry, states: start.states };
    copyAside(following, tables, { start, place });
    return place;
  }
  const missing = missingOf(tables, start.states);
  following.enter('copying', `${missing.length} tables`);
  await beatDuring(following.target, following.clock, () => copyTables(following, { tables: missing, start, from: null }));
  const again = await readStreamStart({ stream, source, target: following.target, tables, deltas: following.deltas });
  if (again.stored === null || again.position === null) throw new Error('the initial copy left no watermark');
  const { registry } = again.registration;
  return { ...NO_COPY, stored: again.stored, seen: again.position, isOfOldHistory: false, registry, states: again.states };
}

const NO_COPY = { copying: null, hasCopied: false, copyError: null } as const;

function missingOf(tables: readonly StreamTable[], states: readonly TableState[]): readonly StreamTable[] {
  return tables.filter(({ ordinal }) => states[ordinal]?.kind === 'missing');
}

type Copied = { readonly start: StreamStart; readonly place: Place };

/** Rounds of the other tables go on; acknowledging waits, so that nothing is purged which the copied tables need. */
function copyAside(following: Following, tables: readonly StreamTable[], { start, place }: Copied): void {
  const { aside, wake } = following;
  const missing = missingOf(tables, place.states);
  if (missing.length === 0) return;
  aside.running ??= copyTables(following, { tables: missing, start, from: place.seen }).finally(() => {
    aside.running = null;
  });
  const settle = (copied: Partial<Place>): void => {
    Object.assign(place, copied, { copying: null });
    wake.kick();
  };
  place.copying = aside.running.then(
    () => settle({ hasCopied: true }),
    (error: unknown) => settle({ copyError: error }),
  );
}

/** From where a copied table follows on, only the target can say: another runner may have copied it, from an earlier snapshot than ours. */
async function takeCopied(following: Following, tables: readonly StreamTable[], { start, place }: Copied): Promise<void> {
  const { stream, source, target, deltas } = following;
  place.states = await tableStates({ stream, source, target, tables, deltas }, start.captures);
  place.hasCopied = false;
  copyAside(following, tables, { start, place });
}

/** What a look led to; a round with the entries that it worked through. */
type Looked = 'registry' | 'nothing' | { readonly entries: number } | { readonly hold: Hold };

/** One look at the source and, when something is pending, one round. Nothing that it saw counts if the registry has changed: it may have been emptied. */
async function lookOnce(
  following: Following,
  tables: readonly StreamTable[],
  at: { readonly place: Place; readonly carrier: Carrier | null; readonly guard: Guard | null },
): Promise<Looked> {
  const { place, carrier, guard } = at;
  const { stream, source, target, clock, failpoint, progress, log } = following;
  const started = clock.now();
  const reading = await source.open(place.seen);
  try {
    if (reading.registry !== place.registry) return 'registry';
    const work = await workOf(reading, tables, place.states);
    if (work.length === 0 && !place.isOfOldHistory) {
      if (reading.isOnDisk) place.seen = reading.position;
      if (!progress.isCaughtUp && place.copying === null) {
        progress.isCaughtUp = true;
        log({ kind: 'caught-up', stream });
      }
      return 'nothing';
    }
    progress.isCaughtUp = false;
    const entries = work.reduce((sum, each) => sum + each.entries, 0);
    const hold = guard === null ? null : await guard.judge(reading, work);
    if (hold !== null) return { hold };
    if (carrier !== null) await carrier.beforeRound(entries);
    const result = await applyRound({ stream, reading, target, work, stored: place.stored, failpoint });
    place.stored = formatPosition(reading.position);
    place.seen = reading.position;
    place.isOfOldHistory = false;
    place.states = joined(place.states, work);
    progress.rows += result.rows;
    progress.lastRound = true;
    log({ kind: 'round', stream, rows: result.rows, tables: work.length, path: result.path, ms: clock.now() - started });
    return { entries };
  } finally {
    await reading.release();
  }
}

function joined(states: readonly TableState[], work: readonly TableWork[]): readonly TableState[] {
  const joins = new Set(work.filter(({ joinFrom }) => joinFrom !== null).map(({ ordinal }) => ordinal));
  return states.map((state, ordinal) => (joins.has(ordinal) ? { kind: 'joined' } : state));
}

/** A copy under way ends first: its transactions are whole or not at all. */
async function leave(place: Place): Promise<'again'> {
  await place.copying;
  return 'again';
}

/** Every table follows the watermark. Only then may the watermark be acknowledged: a copied table still needs changes from before it. */
function isWhole(place: Place): boolean {
  return place.copying === null && !place.hasCopied && place.states.every(({ kind }) => kind === 'joined');
}

/** Before it ends, the runner carries the sequences once more, has the target put on disk what it committed, and acknowledges it. */
async function finish(place: Place, { acknowledger, carrier }: { readonly acknowledger: Acknowledger; readonly carrier: Carrier | null }): Promise<'done'> {
  await carrier?.carry();
  await acknowledger.settle(place.stored);
  return 'done';
}
