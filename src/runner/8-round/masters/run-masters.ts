import { randomUUID } from 'node:crypto';
import { originsOf } from '../../../plan/plan-masters.ts';
import { SarrioError } from '../../../plan/errors.ts';
import { makePace } from '../pace.ts';
import type { StreamEnd } from '../stream.ts';
import { settleAll, tickAll } from './acknowledge-all.ts';
import { admit, release } from './admit.ts';
import { comeAfter, goesWithoutLocks, isStandingClash, pauseForOthers, tryAgain } from './contention.ts';
import { joinCopied } from './join-pair.ts';
import { ruleOrStop } from './exceptions.ts';
import { isContention, MemberError } from './member-error.ts';
import { lockOrder } from './lock-order.ts';
import { masterRound, type MasterRoundResult } from './master-round.ts';
import { RegistryChanged, RoundElsewhere } from './session-member.ts';
import { drop } from './slot.ts';
import { isKnownFault, stoppedError, stopOf, tablesGo } from './stopping.ts';
import { holdUnfit, isOfUnfitTables } from './watch-shapes.ts';
import type { MastersRun, Place, Present } from './masters-run.ts';

/** Rounds in a row, the last ones with the tables locked, before it is no coincidence any more. */
const TRIES = 6;
const LONGEST_WAIT_MS = 5_000;
/** With the tables locked, applications get so many times the length of a round to themselves, within these bounds. */
const SHARE = 4;
const SHORTEST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 200;
const AGAIN_AFTER_FAILURE_MS = 5_000;
/** Failures in a row of one member before a run that should end by itself gives up. */
const FAILURES = 5;

/** Round after round over whoever is up, until the signal or, when asked so, until nothing is pending. */
export async function runMasters(run: MastersRun): Promise<StreamEnd> {
  const { signal, clock, until } = run.options;
  const none = {
    contended: 0,
    elsewhere: 0,
    locked: 0,
    lockAgain: 0,
    lock: new Set<number>(),
    keep: new Set<number>(),
    inRow: 0,
    began: 0,
    touched: new Set<number>(),
  };
  const place: Place = { present: [], known: new Map(), ...none };
  const pace = makePace(clock);
  try {
    while (!signal.aborted) {
      const seen = run.looks.generation();
      const end = await turn(run, place, pace.after);
      if (end === 'again') continue;
      if (typeof end === 'object') return end;
      if (until !== 'stopped' && hasGivenUp(run)) return { kind: 'gave-up', error: run.slots.find(({ failures }) => failures >= FAILURES)?.error };
      await run.looks.wait(seen, end);
    }
    return { kind: 'stopped' };
  } finally {
    for (const present of place.present) present.endBeating();
  }
}

function hasGivenUp({ slots }: MastersRun): boolean {
  return slots.some(({ failures }) => failures >= FAILURES);
}

/** `again` at once, or milliseconds to wait at most, or the end. */
type Next = 'again' | number | StreamEnd;

async function turn(run: MastersRun, place: Place, pauseAfter: (entries: number, inRow: number) => number): Promise<Next> {
  const { until } = run.options;
  try {
    for (const { slot } of place.present.filter(isGone)) leave(place, slot.index);
    await admit(run, place.present);
    if (place.present.length < 2) return Math.min(1_000, LONGEST_WAIT_MS);
    const result = await oneRound(run, place);
    await tickAll(place);
    if (result.kind !== 'again') await joinNewcomers(run, place, result);
    if (result.kind === 'again') return 'again';
    const isWhole = place.present.length === run.slots.length;
    if (isWhole && (until === 'once' || (until === 'caught-up' && result.kind === 'nothing'))) return await finish(run, place);
    if (result.kind === 'nothing') return await nothingLeft(run, place);
    return await applied(run, place, { result, pauseAfter });
  } catch (error) {
    return failed(run, place, error);
  }
}

async function oneRound(run: MastersRun, place: Place): Promise<MasterRoundResult> {
  const { options, sync, progress } = run;
  const { clock, failpoint } = options;
  Object.assign(place, { began: clock.now(), touched: new Set<number>() });
  const members = place.present.map(({ member }) => member);
  await holdUnfit(run, place.present);
  const waiting = run.stopped.waiting();
  const result = await masterRound({
    members,
    databases: originsOf(sync),
    isRing: sync.ring !== undefined,
    rules: sync.tables.map(({ rule }) => rule),
    columns: sync.tables.map(({ columns }) => columns.map(({ name }) => name)),
    masked: sync.tables.map(({ mask }) => mask ?? []),
    uniqueRules: sync.tables.map(({ unique }) => unique),
    layouts: sync.tables.map(({ masters }) => masters.common?.layout ?? null),
    keys: sync.tables.map(({ key }) => key),
    known: place.known,
    stopped: waiting,
    lock: place.locked > 0 ? lockOrder([...place.lock], place.contended) : [],
    keep: lockOrder([...place.keep], place.contended),
    touched: place.touched,
    maxClockSkewMs: sync.maxClockSkewMs,
    now: clock.now,
    decideByHandler: run.handlers.decide,
    unclashByHandler: run.handlers.unclash,
    rulings: run.rulings,
    newId: randomUUID,
    failpoint,
  });
  place.contended = 0;
  place.elsewhere = 0;
  if (result.kind === 'again') return result;
  place.keep = new Set();
  for (const { slot } of place.present) slot.failures = 0;
  run.rulings.wentThrough(waiting);
  await tablesGo(run, place.present, waiting);
  if (result.kind === 'applied') run.stopped.changed(result.waiting);
  progress.round(
    place.present.map(({ slot }) => slot.index),
    result,
    clock.now() - place.began,
  );
  return result;
}

/** A member whose tables were copied takes part without the seed only after a round with it. */
async function joinNewcomers({ name, sync }: MastersRun, { present }: Place, result: MasterRoundResult): Promise<void> {
  const seed = sync.members[0] ?? '';
  if (!present.some(({ slot }) => slot.name === seed)) return;
  for (const each of present) {
    const hasFailed = result.kind === 'applied' && result.failed.has(each.slot.index);
    if (each.isJoined || hasFailed) continue;
    if (each.slot.name !== seed) await joinCopied({ sync: name, source: seed }, each.live.session);
    each.isJoined = true;
  }
}

async function nothingLeft({ looks, stopped }: MastersRun, place: Place): Promise<number> {
  await looks.found([]);
  place.inRow = 0;
  place.locked = 0;
  return Math.min(LONGEST_WAIT_MS, stopped.dueIn(), ...place.present.flatMap(({ acknowledgers }) => [...acknowledgers.values()].map((each) => each.dueIn())));
}

type Applied = { readonly result: Extract<MasterRoundResult, { kind: 'applied' }>; readonly pauseAfter: (entries: number, inRow: number) => number };

async function applied(run: MastersRun, place: Place, { result, pauseAfter }: Applied): Promise<Next> {
  const { clock, signal } = run.options;
  place.inRow += 1;
  place.locked = Math.max(0, place.locked - 1);
  for (const [index, error] of result.failed) dropMember(place, { index, error });
  await run.looks.found(place.present.filter(({ slot }) => (result.entries.get(slot.index) ?? 0) > 0).map(({ live }) => live.wake));
  const entries = [...result.entries.values()].reduce((sum, each) => sum + each, 0);
  const lasted = clock.now() - place.began;
  const pause = Math.max(pauseAfter(entries, place.inRow), place.locked > 0 ? pauseAfterLocked(lasted) : 0, pauseForOthers(run, place, lasted));
  if (pause > 0) {
    run.looks.gathering(pause);
    await clock.sleep(pause, signal);
  }
  return 'again';
}

function pauseAfterLocked(roundMs: number): number {
  return Math.min(LONGEST_PAUSE_MS, Math.max(SHORTEST_PAUSE_MS, SHARE * roundMs));
}

/** Contention is tried again; what one table's rows or rule is to blame for stops that one; what went wrong at one member takes that one out; the rest stops the sync until it is mended. */
async function failed(run: MastersRun, place: Place, error: unknown): Promise<Next> {
  const { clock, signal, until } = run.options;
  if (signal.aborted) return 'again';
  if (error instanceof RegistryChanged) {
    run.stopped.tryAll();
    await release(place.present);
    return 'again';
  }
  const lost = place.present.filter(({ live }) => !live.session.isOpen());
  for (const { slot } of lost) dropMember(place, { index: slot.index, error });
  if (lost.length > 0) return 'again';
  if (error instanceof RoundElsewhere) return comeAfter(run, place);
  const mayPass = isContention(error) && !isKnownFault(run, error) && !isStandingClash(run, place, error);
  if (mayPass && place.contended < TRIES) return tryAgain(run, place, error);
  // Who is lost meanwhile is found to be gone in the next turn.
  if (await isOfUnfitTables(run, place.present, error).catch(() => false)) return 'again';
  const stop = stopOf(run, error);
  if (stop !== null) {
    place.contended = 0;
    // A member that is lost meanwhile is a failure of its own.
    return ruleOrStop(run, place.present, { stop, error, tookMs: clock.now() - place.began }).then(
      () => 'again',
      (lost: unknown) => failed(run, place, lost),
    );
  }
  if (goesWithoutLocks(run, place, error)) return 'again';
  if (error instanceof MemberError && !isContention(error)) {
    // What cannot be kept as it is (a table that is gone) would have it dropped again and again.
    place.keep = new Set();
    dropMember(place, { index: error.member, error: error.cause });
    return 'again';
  }
  place.contended = 0;
  run.progress.failed(
    place.present.map(({ slot }) => slot.index),
    error,
    AGAIN_AFTER_FAILURE_MS,
  );
  if (until !== 'stopped' && error instanceof SarrioError) return { kind: 'gave-up', error };
  await clock.sleep(AGAIN_AFTER_FAILURE_MS, signal);
  return 'again';
}

/** Its connections were lost. No round tells of it where it was the only one that was up; what is made with them any more would fail for ever. */
function isGone({ slot, live }: Present): boolean {
  return slot.live !== live;
}

function dropMember(place: Place, { index, error }: { index: number; error: unknown }): void {
  const gone = leave(place, index);
  if (gone !== null) drop(gone.slot, error);
}

function leave({ present, known }: Place, index: number): Present | null {
  const at = present.findIndex(({ slot }) => slot.index === index);
  const [gone] = at >= 0 ? present.splice(at, 1) : [];
  if (gone === undefined) return null;
  gone.endBeating();
  gone.leave();
  for (const { acknowledgers } of present) acknowledgers.delete(index);
  known.delete(index);
  return gone;
}

/** Everything that was applied is acknowledged. */
async function finish(run: MastersRun, place: Place): Promise<StreamEnd> {
  await settleAll(place);
  const error = stoppedError(run);
  return error === null ? { kind: 'done' } : { kind: 'gave-up', error };
}
