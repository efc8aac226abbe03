import { failure } from '../../../plan/errors.ts';
import { originsOf } from '../../../plan/plan-masters.ts';
import { displayName } from '../../../sql/quote.ts';
import { textArray } from '../../postgres/text-array.ts';
import { startBeating } from '../heartbeat.ts';
import { holderText } from '../lease.ts';
import { readPause } from '../registration.ts';
import { paused } from '../stream.ts';
import { heartbeat, leaseStream } from '../target.sql.ts';
import { writeAlone } from '../write-alone.ts';
import { detachedMembers, memberDetached } from './detached.ts';
import { copyAside } from './copy-aside.ts';
import { joinPair } from './join-pair.ts';
import { pairOf } from './pair-of.ts';
import { readSeeded } from './masters.sql.ts';
import { leaveUnknown } from './held.sql.ts';
import { sessionMember } from './session-member.ts';
import { drop, isBeingConnected, type Live, type Slot } from './slot.ts';
import { forgetStopped } from './stopping.ts';
import type { MastersRun } from './masters-run.ts';
import type { Present } from './masters-run.ts';

/**
 * Lets members in that have come up, in the order of the config. Each holds a lease in its own database; a runner that finds an
 * earlier member's lease taken gives back all later ones, so that of two runners the one with the earliest member gets all of them.
 *
 * Any member may have given up on any other, and only it can say so. So nobody is let in while one is still being connected, and
 * only those that were asked are.
 */
export async function admit(run: MastersRun, present: Present[]): Promise<void> {
  const arrivals = run.slots.flatMap((slot) =>
    slot.live === null || slot.copying !== null || present.some((each) => each.slot === slot) ? [] : [{ slot, live: slot.live }],
  );
  if (arrivals.length === 0 || run.slots.some(isBeingConnected)) return;
  const detached = await detachedMembers(run.name, run.slots);
  await expel(present, ({ slot }) => detached.has(slot.name));
  for (const { slot, live } of arrivals) {
    if (slot.live !== live) continue;
    const outcome = await admitOne(run, present, { slot, live, detached: detached.get(slot.name) ?? null }).catch((error: unknown) => {
      if (run.options.signal.aborted) return 'failed';
      drop(slot, error);
      return 'failed';
    });
    if (outcome === 'standby') {
      await expel(present, (each) => each.slot.index > slot.index);
      for (const each of run.slots) if (each.index > slot.index) giveUpCopy(each);
      return;
    }
  }
}

/** Gives the members back; they are connected anew. */
export async function release(present: Present[]): Promise<void> {
  for (const { live, endBeating, leave } of present) {
    endBeating();
    leave();
    live.session.destroy();
  }
  present.length = 0;
}

async function expel(present: Present[], condition: (each: Present) => boolean): Promise<void> {
  const gone = present.filter(condition);
  const kept = present.filter((each) => !condition(each));
  present.splice(0, present.length, ...kept);
  for (const { slot } of gone) for (const { acknowledgers } of kept) acknowledgers.delete(slot.index);
  await release(gone);
}

function giveUpCopy({ copying, live }: Slot): void {
  if (copying === null) return;
  copying.stop();
  live?.session.destroy();
}

type Arrival = { readonly slot: Slot; readonly live: Live };
type Asking = Arrival & { readonly detached: string | null };

async function admitOne(run: MastersRun, present: Present[], { slot, live, detached }: Asking): Promise<'present' | 'standby' | 'waits'> {
  const { options, progress, name } = run;
  const pause = await readPause(name, live.source);
  if (pause !== null && options.until !== 'stopped') throw paused({ sync: name, source: slot.name }, pause);
  if (pause !== null) return wait(run, slot, { state: 'paused', reason: pause });
  if (detached !== null && options.until !== 'stopped') throw memberDetached(name, slot.name, detached);
  if (detached !== null) return wait(run, slot, { state: 'failed', reason: detached });
  const holder = await leaseOrHolder(run, { slot, live });
  if (holder !== null) {
    if (options.until !== 'stopped') throw busy(run, slot, holder);
    progress.enter(slot.index, 'standby', `${holder} applies this sync`);
    return 'standby';
  }
  const seed = run.slots[0];
  const hasSeed = slot === seed || present.some((each) => each.slot === seed);
  if (!hasSeed && !(await isSeeded(run, live))) return wait(run, slot, { state: 'connecting', reason: `waits for ${seed?.name}, from which it is copied` });
  await leaveUnknownTables(run, { slot, live });
  const from = present.find((each) => each.slot === seed);
  if (from !== undefined && (await copyAside(run, from, { slot, live }))) return 'waits';
  const arrived = makePresent(run, present, { slot, live });
  try {
    await forgetStopped(run, arrived);
    for (const other of present) await joinBoth(run, arrived, other);
  } catch (error) {
    arrived.endBeating();
    arrived.leave();
    throw error;
  }
  present.push(arrived);
  present.sort((a, b) => a.slot.index - b.slot.index);
  progress.enter(slot.index, 'running', null);
  return 'present';
}

function wait(run: MastersRun, slot: Slot, { state, reason }: { state: 'paused' | 'connecting' | 'failed'; reason: string }): 'waits' {
  run.progress.enter(slot.index, state, reason);
  return 'waits';
}

async function leaseOrHolder({ options, name }: MastersRun, { live }: Arrival): Promise<string | null> {
  const key = JSON.stringify([options.plan.project, name, 'member']);
  const row = (await live.session.query(leaseStream, [key])).rows[0];
  return row?.['is_held'] === 't' ? null : holderText(live.session, key);
}

/** Whether the member holds the rows of all tables already. */
async function isSeeded({ name, sync }: MastersRun, { session }: Live): Promise<boolean> {
  const row = (await session.query(readSeeded, [name, sync.members[0] ?? ''])).rows[0];
  return Number(row?.['joined']) === sync.tables.length;
}

function makePresent(run: MastersRun, present: readonly Present[], { slot, live }: Arrival): Present {
  const { options, sync, name } = run;
  const peers = new Map(present.map(({ state, slot: { index } }) => [index, state]));
  const { member, state } = sessionMember({
    index: slot.index,
    name: slot.name,
    syncName: name,
    sync,
    shapes: options.plan.databases[slot.name]?.shapes ?? {},
    session: live.session,
    failpoint: options.failpoint,
    peers,
    history: live.history,
    query: live.source.query,
    readers: { open: live.source.readAt, close: live.source.endReading },
    registry: () => live.registry,
  });
  peers.set(slot.index, state);
  for (const other of present) other.peers.set(slot.index, state);
  const end = startBeating(live.session, options.clock, () => state.session.query(heartbeat));
  return {
    slot,
    live,
    member,
    state,
    peers,
    isJoined: false,
    acknowledgers: new Map(),
    endBeating: () => void end(),
    leave: () => {
      for (const other of present) other.peers.delete(slot.index);
    },
  };
}

/** Once its lease is ours and before its watermarks move: what this plan does not know stays where it is, for whoever knows it. */
async function leaveUnknownTables({ options, name, sync }: MastersRun, { slot, live }: Arrival): Promise<void> {
  const relations = sync.tables.map(({ target }) => displayName(target));
  const sources = originsOf(sync).filter((origin) => origin !== slot.name);
  await writeAlone(live.session, { text: leaveUnknown, values: [name, textArray(relations), textArray(sources), options.plan.project] });
}

async function joinBoth(run: MastersRun, arrived: Present, other: Present): Promise<void> {
  arrived.acknowledgers.set(other.slot.index, await joinPair(pairOf(run, other, arrived)));
  other.acknowledgers.set(arrived.slot.index, await joinPair(pairOf(run, arrived, other)));
}

function busy({ name }: MastersRun, slot: Slot, holder: string): Error {
  return failure('busy', { code: 'SAR607', where: `database ${slot.name}`, message: `${holder} applies sync ${name}` });
}
