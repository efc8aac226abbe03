import { setMaxListeners } from 'node:events';
import { failure } from '../../plan/errors.ts';
import { flowsOf } from '../../plan/flows.ts';
import type { PlanSync } from '../../plan/plan.ts';
import type { Session } from '../postgres/session.ts';
import { startCopies } from './full-copy/start-copies.ts';
import { keepSources } from './keep-sources.ts';
import { startMasters } from './masters/start-masters.ts';
import { reportStreams } from './report-streams.ts';
import type { StreamEnd } from './stream.ts';
import { type RunOptions, startSync, type SyncRun } from './sync-runner.ts';

/** A source that cannot be reached is not waited for at the end. */
const LAST_WORDS_MS = 800;

/** Why a run is ended that goes on with another plan. */
export const NEW_PLAN = 'a new plan';

/** How a run ended, by stream. */
export type RunEnd = readonly StreamEnd[];

/**
 * Runs the named syncs (all of the plan when none is named) until the signal, or until every stream has ended by itself. Besides the
 * streams it purges the sources and keeps `sarrio.stream` current for `sarrio status`.
 */
export async function run(given: RunOptions, names: readonly string[]): Promise<RunEnd> {
  const { plan, log, signal } = given;
  // Every stream listens to it, and there may be many: none of them is forgotten.
  setMaxListeners(0, signal);
  const sessions = trackSessions(given.connect);
  const options: RunOptions = { ...given, connect: sessions.connect };
  const wanted = names.length > 0 ? names : Object.keys(plan.syncs);
  refuseUnknown(options, wanted);
  const streams = wanted.flatMap((sync) => {
    const planned = plan.syncs[sync];
    return (planned === undefined ? [] : directionsOf(planned)).flatMap(({ source, targets }) => targets.map((target) => ({ sync, source, target })));
  });
  log({ kind: 'started', project: plan.project, streams });
  let pass = await runOnce(options, wanted);
  // What one sync brought last may be pending for another one that had caught up before.
  while (options.until === 'caught-up' && wanted.length > 1 && pass.rows > 0 && isDone(pass.ends)) pass = await runOnce(options, wanted);
  sessions.end();
  log({ kind: 'stopped', reason: signal.aborted ? (signal.reason === NEW_PLAN ? NEW_PLAN : 'signal') : 'nothing left to do' });
  return pass.ends;
}

/** All syncs until each of them has ended; with the number of rows that were brought. */
async function runOnce(options: RunOptions, names: readonly string[]): Promise<{ readonly ends: RunEnd; readonly rows: number }> {
  const syncs = names.map((name) => start(options, name));
  options.onStreams?.(syncs.flatMap(({ streams }) => streams));
  const ended = new AbortController();
  setMaxListeners(0, ended.signal);
  const keepers = [keepSources(options, syncs, ended.signal), reportStreams(options, syncs, ended.signal)];
  const ends = (await Promise.all(syncs.map((sync) => sync.ended))).flat();
  ended.abort();
  await Promise.race([Promise.all(keepers), options.clock.sleep(LAST_WORDS_MS)]);
  await Promise.all(syncs.map((sync) => sync.close()));
  return { ends, rows: syncs.flatMap(({ streams }) => streams).reduce((sum, { progress }) => sum + progress.rows, 0) };
}

function start(options: RunOptions, name: string): SyncRun {
  switch (options.plan.syncs[name]?.mode) {
    case 'multi-master':
      return startMasters(options, name);
    case 'full-copy':
      return startCopies(options, name);
    default:
      return startSync(options, name);
  }
}

function directionsOf(sync: PlanSync): readonly { readonly source: string; readonly targets: readonly string[] }[] {
  return sync.mode === 'full-copy' ? [sync] : flowsOf(sync);
}

function isDone(ends: RunEnd): boolean {
  return ends.every(({ kind }) => kind === 'done');
}

type Connect = RunOptions['connect'];

/** Whatever was being opened while the run ended is cut off: a connection that nobody knows would keep the process alive. */
function trackSessions(connect: Connect): { connect: Connect; end: () => void } {
  const open = new Set<Session>();
  const state = { ended: false };
  const tracked: Connect = async (database, role) => {
    const session = await connect(database, role);
    if (state.ended) {
      session.destroy();
      throw new Error('the run has ended');
    }
    open.add(session);
    session.onLost(() => open.delete(session));
    return session;
  };
  const end = (): void => {
    state.ended = true;
    for (const session of open) session.destroy();
  };
  return { connect: tracked, end };
}

function refuseUnknown({ plan }: RunOptions, names: readonly string[]): void {
  const unknown = names.filter((name) => plan.syncs[name] === undefined);
  if (unknown.length === 0) return;
  throw failure('invalid', {
    code: 'SAR609',
    message: `the plan has no sync ${unknown.join(', ')}`,
    hint: `It has: ${Object.keys(plan.syncs).join(', ')}`,
  });
}
