import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { failure, SarrioError } from '../plan/errors.ts';
import { type Generated, loadBound, PLAN_FILE } from '../plan/generated-files.ts';
import { planHash } from '../plan/plan-hash.ts';
import { refuseUnapplied } from '../runner/8-round/installed-plan.ts';
import { NEW_PLAN, run, type RunEnd } from '../runner/8-round/run.ts';
import type { RunOptions } from '../runner/8-round/sync-runner.ts';
import { failureText } from '../runner/postgres/error-text.ts';
import type { Session } from '../runner/postgres/session.ts';

const LOOK_EVERY_MS = 1_000;

export type FollowedRun = {
  /** The folder of generated files. */
  readonly dir: string;
  readonly environment: string | null;
  readonly syncs: readonly string[];
  /** Everything but what depends on the plan and on when it is left for another one. */
  readonly optionsFor: (generated: Generated) => RunOptions;
};

/**
 * Runs the plan, and goes on with another one without being started again: as soon as one stands in the folder and every database that
 * answers has it applied, the rounds under way end and the streams begin anew with it. Nothing is lost by that, as by any restart.
 */
export async function runFollowing({ dir, environment, syncs, optionsFor }: FollowedRun): Promise<RunEnd> {
  for (let generated = await loadBound(dir, environment); ; ) {
    const options = optionsFor(generated);
    if (options.until !== 'stopped') return run(options, syncs);
    const turn = new AbortController();
    const next: { plan: Generated | null } = { plan: null };
    const ended = new AbortController();
    const watching = watchFolder({ dir, environment, syncs, running: generated, optionsFor, signal: AbortSignal.any([options.signal, ended.signal]) }).then(
      (found) => {
        next.plan = found;
        if (found !== null) turn.abort(NEW_PLAN);
      },
    );
    const ends = await run({ ...options, signal: AbortSignal.any([options.signal, turn.signal]) }, syncs).finally(() => ended.abort());
    await watching;
    if (next.plan === null || options.signal.aborted) return ends;
    generated = next.plan;
  }
}

type Watched = FollowedRun & { readonly running: Generated; readonly signal: AbortSignal };

/** The next plan, once it can be run; null when the signal came first. What stands in its way is said once. */
async function watchFolder(watched: Watched): Promise<Generated | null> {
  const { dir, environment, running, optionsFor, signal } = watched;
  const { clock, log } = optionsFor(running);
  const hash = planHash(running.plan);
  const seen = { version: await versionOf(dir), said: '' };
  let isDue = false;
  while (!signal.aborted) {
    await clock.sleep(LOOK_EVERY_MS, signal);
    const version = await versionOf(dir);
    isDue ||= version !== seen.version;
    seen.version = version;
    if (!isDue || signal.aborted) continue;
    try {
      const found = await loadBound(dir, environment);
      if (planHash(found.plan) !== hash) {
        await refuseUnready(watched, found);
        log({ kind: 'plan', state: 'taken', reason: null });
        return found;
      }
      isDue = false;
      seen.said = '';
    } catch (error) {
      const reason = failureText(error);
      if (reason !== seen.said) log({ kind: 'plan', state: 'waits', reason });
      seen.said = reason;
    }
  }
  return null;
}

/** It has the syncs that this run is for, and is applied in every database that answers. */
async function refuseUnready({ syncs, optionsFor }: Watched, generated: Generated): Promise<void> {
  const { plan } = generated;
  const { connect } = optionsFor(generated);
  const gone = syncs.filter((sync) => plan.syncs[sync] === undefined);
  if (gone.length > 0) throw failure('invalid', { code: 'SAR609', message: `the plan has no sync ${gone.join(', ')}` });
  for (const database of Object.keys(plan.databases)) {
    const session = await connect(database, 'status').catch(unreachable);
    if (session === null) continue;
    try {
      await refuseUnapplied(plan, database, session);
    } finally {
      await session.close();
    }
  }
}

/** Whoever does not answer now is asked again when its streams connect. */
function unreachable(error: unknown): Session | null {
  if (error instanceof SarrioError && error.exit === 'invalid') throw error;
  return null;
}

/** Changes whenever the plan was written. */
async function versionOf(dir: string): Promise<string> {
  try {
    const { mtimeMs, size, ino } = await stat(join(dir, PLAN_FILE));
    return `${mtimeMs} ${size} ${ino}`;
  } catch {
    return '';
  }
}
