import type { Flow } from '../../plan/flows.ts';
import type { Plan } from '../../plan/plan.ts';
import type { Clock } from '../clock.ts';
import type { Log, StreamName } from '../events.ts';
import type { Failpoint } from '../failpoint.ts';
import type { SessionRole } from '../postgres/session-settings.sql.ts';
import { orDestroy } from '../postgres/or-destroy.ts';
import type { Session } from '../postgres/session.ts';
import { refuseRoundsWithoutRights } from '../5-inspect/own-rights.ts';
import { refuseUnrunnable } from './installed-plan.ts';
import { openSource } from './source.ts';
import { type StreamEnd, runStream } from './stream.ts';
import { openWake } from './wake.ts';
import type { SourceAccess, StreamProgress, Until } from './stream-options.ts';

/** What every part of a run shares. */
export type RunOptions = {
  readonly plan: Plan;
  /** Texts of the generated files that the plan names, by path: conflict handlers. */
  readonly files: ReadonlyMap<string, string>;
  /** Opens a session to a database of the plan. */
  readonly connect: (database: string, role: SessionRole) => Promise<Session>;
  readonly until: Until;
  /** Of initial copies; null leaves it to the config. */
  readonly jobs?: number | null;
  readonly clock: Clock;
  readonly log: Log;
  /** Is told the streams of a run that begins; their progress changes from then on. */
  readonly onStreams?: (streams: SyncRun['streams']) => void;
  readonly failpoint: Failpoint;
  readonly signal: AbortSignal;
};

/** One sync while it runs. */
export type SyncRun = {
  readonly name: string;
  /** The databases whose changes it reads, by name. */
  readonly sources: ReadonlyMap<string, SourceAccess>;
  readonly streams: readonly { readonly stream: StreamName; readonly progress: StreamProgress }[];
  readonly ended: Promise<readonly StreamEnd[]>;
  /** Closes what the streams shared; to be called last. */
  readonly close: () => Promise<void>;
};

/** Starts every stream of a one-way sync; they share the source's connection and its wakes. */
export function startSync(options: RunOptions, name: string): SyncRun {
  const { plan, connect, clock, log, failpoint, signal, until } = options;
  const sync = plan.syncs[name];
  if (sync?.mode !== 'one-way') throw new Error(`the plan has no one-way sync ${name}`);
  const access = sourceAccess(options, name, sync);
  const deltas = deltasOf(plan, sync);
  const streams = sync.targets.map((target) => ({
    stream: { sync: name, source: sync.source, target },
    progress: { state: 'stopped', rows: 0, lastError: null, lastRound: false, isCaughtUp: false, isFailing: false, failedAtWork: false } as StreamProgress,
  }));
  const sessions = makeSessions(options);
  const mayRun = rightsOnce(plan);
  const runs = streams.map(({ stream, progress }) => {
    const connectTarget = async (): Promise<Session> => {
      const session = sessions.watch(await connect(stream.target, 'target'));
      await orDestroy(session, async () => {
        await mayRun(session);
        await refuseUnrunnable(plan, stream.target, session);
      });
      return session;
    };
    const shapes = { source: plan.databases[sync.source]?.shapes ?? {}, target: plan.databases[stream.target]?.shapes ?? {} };
    return runStream({
      project: plan.project,
      stream,
      sync,
      deltas,
      shapes,
      access: access.get,
      connectTarget,
      progress,
      jobs: options.jobs ?? null,
      until,
      clock,
      log,
      failpoint,
      signal,
    });
  });
  return { name, sources: new Map([[sync.source, access.get]]), streams, ended: Promise.all(runs).finally(sessions.end), close: access.close };
}

/** Rights are asked for until a database has given them all; a right that is taken away later shows in the statement that needs it. */
export function rightsOnce(plan: Plan): (session: Session) => Promise<void> {
  const given = new Set<string>();
  return async (session) => {
    if (given.has(session.database)) return;
    await refuseRoundsWithoutRights(plan, session);
    given.add(session.database);
  };
}

/** How long a round may go on after the signal. Cut off later, it is rolled back. */
const STOP_GRACE_MS = 1_000;

/** The targets' connections. Once stopped, what does not end by itself is cut off. */
export function makeSessions({ signal, clock }: RunOptions): { watch: (session: Session) => Session; end: () => void } {
  const open = new Set<Session>();
  const ended = new AbortController();
  const cut = async (): Promise<void> => {
    await clock.sleep(STOP_GRACE_MS, ended.signal);
    for (const session of open) session.destroy();
  };
  signal.addEventListener('abort', cut);
  return {
    watch: (session) => {
      open.add(session);
      session.onLost(() => open.delete(session));
      return session;
    },
    end: () => {
      signal.removeEventListener('abort', cut);
      ended.abort();
    },
  };
}

/** Connects on first use; after a loss the next use connects anew, so that nothing learnt before a crash of the source is kept. */
export function sourceAccess(options: RunOptions, name: string, sync: Flow): { get: SourceAccess; close: () => Promise<void> } {
  const { connect, clock, failpoint } = options;
  const state: { current: ReturnType<SourceAccess> | null; isClosed: boolean } = { current: null, isClosed: false };
  const mayRun = rightsOnce(options.plan);
  const open: SourceAccess = async () => {
    const session = await connect(sync.source, 'listen');
    return orDestroy(session, async () => {
      await mayRun(session);
      await refuseUnrunnable(options.plan, sync.source, session);
      const source = await openSource({ name: sync.source, sync, connect: () => connect(sync.source, 'source'), clock, failpoint });
      // Before anything else can fail: from here on the two live and die together.
      session.onLost(() => void source.close());
      const wake = await openWake({ sync: name, sequence: sync.wake, session, clock });
      source.onLost(forget);
      return { source, wake };
    });
  };
  const forget = (): void => {
    const { current } = state;
    state.current = null;
    void current?.then(({ wake }) => wake.close(), ignoreFailedOpening);
  };
  const get: SourceAccess = async () => {
    if (state.isClosed) throw new Error('the run has ended');
    if (state.current === null) {
      const opening = open();
      state.current = opening;
      opening.catch(() => {
        if (state.current === opening) state.current = null;
      });
    }
    return state.current;
  };
  const close = async (): Promise<void> => {
    const { current } = state;
    state.isClosed = true;
    state.current = null;
    await current?.then(async ({ source, wake }) => {
      await wake.close();
      await source.close();
    }, ignoreFailedOpening);
  };
  return { get, close };
}

/** Whoever asked for the connection has had the error already. */
function ignoreFailedOpening(): null {
  return null;
}

/** Delta tables of a flow's tables, by ordinal. */
export function deltasOf(plan: Plan, sync: Flow): readonly string[] {
  const captures = plan.databases[sync.source]?.captures ?? [];
  return sync.tables.map(({ source }) => {
    const found = captures.find(({ table }) => table.schema === source.schema && table.name === source.name);
    if (found === undefined) throw new Error(`the plan does not capture ${source.schema}.${source.name}`);
    return found.delta;
  });
}
