import { flowsOf } from '../../../plan/flows.ts';
import type { PlanMultiMaster } from '../../../plan/plan.ts';
import { orDestroy } from '../../postgres/or-destroy.ts';
import type { Session } from '../../postgres/session.ts';
import { refuseUnapplied } from '../installed-plan.ts';
import type { StreamEnd } from '../stream.ts';
import { deltasOf, makeSessions, rightsOnce, type RunOptions, sourceAccess, type SyncRun } from '../sync-runner.ts';
import { makeLooks } from './looks.ts';
import { makeProgress, type PairProgress } from './progress.ts';
import { type MastersRun, runMasters } from './run-masters.ts';
import { keepSlot, type Slot } from './slot.ts';

/** Starts a multi-master sync: one for each member as a source, for those who purge and report; the first one's end is that of all. */
export function startMasters(options: RunOptions, name: string, sync: PlanMultiMaster): readonly SyncRun[] {
  const { plan, connect, clock, log, signal } = options;
  const flows = flowsOf(sync);
  const accesses = flows.map((flow) => sourceAccess(options, name, flow));
  const sessions = makeSessions(options);
  const mayRun = rightsOnce(plan);
  const connectTarget = async (index: number): Promise<Session> => {
    const database = sync.members[index] ?? '';
    const session = sessions.watch(await connect(database, 'target'));
    await orDestroy(session, async () => {
      await mayRun(session);
      await refuseUnapplied(plan, database, session);
    });
    return session;
  };
  const pairs = pairsOf(name, sync);
  const progress = makeProgress(name, sync.members, { pairs, log });
  const slots = sync.members.map((member, index): Slot => ({ index, name: member, live: null, failures: 0, error: null }));
  const looks = makeLooks(clock);
  const run: MastersRun = { options, name, sync, flows, deltas: flows.map((flow) => deltasOf(plan, flow)), slots, connectTarget, progress, looks };
  const ended = runUntilEnd(run, (index) => accesses[index]?.get ?? (() => Promise.reject(new Error(`no member ${index}`)))).finally(sessions.end);
  signal.addEventListener('abort', looks.kick);
  return flows.map((flow, index) => ({
    name,
    sync: flow,
    access: accesses[index]?.get ?? (() => Promise.reject(new Error(`no member ${index}`))),
    streams: pairs.filter(({ source }) => source === index),
    ended: index === 0 ? ended : Promise.resolve([]),
    close: async () => accesses[index]?.close(),
  }));
}

/** The members are kept connected for as long as the rounds go on. */
async function runUntilEnd(run: MastersRun, accessOf: (index: number) => SyncRun['access']): Promise<readonly StreamEnd[]> {
  const { options, slots, connectTarget, progress, looks } = run;
  const { clock, signal } = options;
  const done = new AbortController();
  const either = AbortSignal.any([signal, done.signal]);
  const keepers = slots.map((slot) =>
    keepSlot(slot, {
      access: accessOf(slot.index),
      connect: () => connectTarget(slot.index),
      clock,
      signal: either,
      onCome: ({ wake }) => {
        looks.attach(wake);
        looks.kick();
      },
      onGone: ({ wake }) => {
        looks.detach(wake);
        looks.kick();
      },
      onFailure: (failing, inMs) => progress.failed([failing.index], failing.error, inMs),
    }),
  );
  try {
    return [await runMasters(run)];
  } finally {
    done.abort();
    await Promise.all(keepers);
  }
}

function pairsOf(sync: string, { members }: PlanMultiMaster): readonly PairProgress[] {
  return members.flatMap((source, from) =>
    members.flatMap((target, to) =>
      from === to
        ? []
        : [
            {
              stream: { sync, source, target },
              source: from,
              target: to,
              progress: { state: 'stopped', rows: 0, lastError: null, lastRound: false, isCaughtUp: false, isFailing: false, failedAtWork: false },
            },
          ],
    ),
  );
}
