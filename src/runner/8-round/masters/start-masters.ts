import { setMaxListeners } from 'node:events';
import { flowsOf } from '../../../plan/flows.ts';
import type { PlanMultiMaster } from '../../../plan/plan.ts';
import { orDestroy } from '../../postgres/or-destroy.ts';
import type { Session } from '../../postgres/session.ts';
import { refuseUnrunnable } from '../installed-plan.ts';
import type { StreamEnd } from '../stream.ts';
import { deltasOf, makeSessions, rightsOnce, type RunOptions, sourceAccess, type SyncRun } from '../sync-runner.ts';
import { handlerShapes, handlerTables } from './handlers/handler-tables.ts';
import { openHandlers } from './handlers/handlers.ts';
import { makeLooks } from './looks.ts';
import { makeProgress, type PairProgress } from './progress.ts';
import { makeRulings } from './rulings.ts';
import { runMasters } from './run-masters.ts';
import { keepSlot, type Slot } from './slot.ts';
import { makeStoppedTables } from './stopped-tables.ts';
import { makeShapeWatch } from './watch-shapes.ts';
import type { SourceAccess } from '../stream-options.ts';
import type { MastersRun } from './masters-run.ts';

/** Starts a multi-master sync: one coordinator for all of its members, each of them a source and a target. */
export function startMasters(options: RunOptions, name: string): SyncRun {
  const { plan, connect, clock, log, signal } = options;
  const sync = plan.syncs[name];
  if (sync?.mode !== 'multi-master') throw new Error(`the plan has no multi-master sync ${name}`);
  const flows = flowsOf(sync);
  const accesses = new Map(flows.map((flow) => [flow.source, sourceAccess(options, name, flow)]));
  const sources = new Map([...accesses].map(([member, { get }]) => [member, get]));
  const sessions = makeSessions(options);
  const mayRun = rightsOnce(plan);
  const connectTarget = async (index: number): Promise<Session> => {
    const database = sync.members[index] ?? '';
    const session = sessions.watch(await connect(database, 'target'));
    await orDestroy(session, async () => {
      await mayRun(session);
      await refuseUnrunnable(plan, database, session);
    });
    return session;
  };
  const pairs = pairsOf(name, sync);
  const progress = makeProgress(name, sync.members, { pairs, log });
  const slots = sync.members.map((member, index): Slot => ({ index, name: member, live: null, failures: 0, error: null, copying: null }));
  const looks = makeLooks(clock);
  const handlers = openHandlers({
    tables: handlerTables(plan, name, 'onConflict'),
    uniques: handlerTables(plan, name, 'onUnique'),
    exceptions: handlerTables(plan, name, 'onException'),
    shapes: handlerShapes(plan, name),
    files: options.files,
    clock,
  });
  const deltas = flows.map((flow) => deltasOf(plan, flow));
  const run: MastersRun = {
    options,
    name,
    sync,
    flows,
    deltas,
    slots,
    connectTarget,
    progress,
    looks,
    handlers,
    stopped: makeStoppedTables(clock),
    watch: makeShapeWatch(),
    rulings: makeRulings(),
  };
  signal.addEventListener('abort', looks.kick);
  const close = async (): Promise<void> => void (await Promise.all([...accesses.values()].map((access) => access.close())));
  return { name, sources, streams: pairs, ended: runUntilEnd(run, sources).finally(() => endAll(options, { sessions, slots })), close };
}

/** Whoever stops a run gives copies the time that rounds have; a run that gives up does not wait for them. */
async function endAll({ signal }: RunOptions, { sessions, slots }: { sessions: { end(): void }; slots: readonly Slot[] }): Promise<void> {
  for (const { copying } of slots) if (!signal.aborted) copying?.stop();
  await Promise.all(slots.map(({ copying }) => copying?.ended));
  sessions.end();
}

/** The members are kept connected for as long as the rounds go on. */
async function runUntilEnd(run: MastersRun, sources: ReadonlyMap<string, SourceAccess>): Promise<readonly StreamEnd[]> {
  const { options, slots, connectTarget, progress, looks } = run;
  const { clock, signal } = options;
  const done = new AbortController();
  const either = AbortSignal.any([signal, done.signal]);
  setMaxListeners(0, either);
  const keepers = slots.map((slot) =>
    keepSlot(slot, {
      access: sources.get(slot.name) ?? (() => Promise.reject(new Error(`no access to ${slot.name}`))),
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
      onFailure: (failing, inMs) => {
        progress.failed([failing.index], failing.error, inMs);
        looks.kick();
      },
    }),
  );
  try {
    return [await runMasters(run)];
  } finally {
    done.abort();
    await Promise.all([...keepers, run.handlers.close()]);
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
