import type { Flow } from '../../../plan/flows.ts';
import { orDestroy } from '../../postgres/or-destroy.ts';
import type { Session } from '../../postgres/session.ts';
import { refuseUnrunnable } from '../installed-plan.ts';
import { runStream } from '../stream.ts';
import { makeSessions, rightsOnce, type RunOptions, sourceAccess, type SyncRun } from '../sync-runner.ts';
import { followCopies } from './follow-copies.ts';
import type { StreamProgress } from '../stream-options.ts';

/** Starts a full copy: one stream for each target, which copies when it is due and sleeps in between. */
export function startCopies(options: RunOptions, name: string): SyncRun {
  const { plan, connect, clock, log, failpoint, signal, until } = options;
  const copy = plan.syncs[name];
  if (copy?.mode !== 'full-copy') throw new Error(`the plan has no full copy ${name}`);
  const { mode, source, targets, wake } = copy;
  // Nothing is captured for it: the tables are no business of who counts changes.
  const sync: Flow = { mode, source, targets, wake, existingRows: 'replace', maxBacklog: null, tables: [] };
  const access = sourceAccess(options, name, sync);
  const sessions = makeSessions(options);
  const mayRun = rightsOnce(plan);
  const streams = targets.map((target) => ({
    stream: { sync: name, source, target },
    progress: { state: 'stopped', rows: 0, lastError: null, lastRound: false, isCaughtUp: false, isFailing: false, failedAtWork: false } as StreamProgress,
  }));
  const runs = streams.map(({ stream, progress }) => {
    const connectTarget = async (): Promise<Session> => {
      const session = sessions.watch(await connect(stream.target, 'target'));
      await orDestroy(session, async () => {
        await mayRun(session);
        await refuseUnrunnable(plan, stream.target, session);
      });
      return session;
    };
    const parts = {
      project: plan.project,
      stream,
      sync,
      deltas: [],
      shapes: { source: {}, target: {} },
      access: access.get,
      connectTarget,
      progress,
      until,
      clock,
      log,
      failpoint,
      signal,
    };
    return runStream(
      parts,
      followCopies(copy, (reading) => refuseUnrunnable(plan, source, reading)),
    );
  });
  return { name, sources: new Map([[source, access.get]]), streams, ended: Promise.all(runs).finally(sessions.end), close: access.close };
}
