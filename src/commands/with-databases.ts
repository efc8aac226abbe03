import { failure, type SarrioError } from '../plan/errors.ts';
import type { Plan, PlanDatabase } from '../plan/plan.ts';
import { resolveUrls } from '../plan/resolve-url.ts';
import type { Clock } from '../runner/clock.ts';
import { sharesBackends } from '../runner/5-inspect/detect-pooler.ts';
import type { ApplyLog } from '../runner/7-apply/apply-event.ts';
import { holdApplyLock } from '../runner/7-apply/hold-apply-lock.ts';
import { connect, type ConnectOptions, type Session } from '../runner/postgres/session.ts';

export type DatabasesOptions = {
  readonly plan: Pick<Plan, 'project'> & { readonly databases: Readonly<Record<string, Pick<PlanDatabase, 'url'>>> };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `exclusive` for what changes the databases. */
  readonly lock: 'exclusive' | 'shared';
  readonly waitMs: number;
  readonly clock: Clock;
  readonly log: ApplyLog;
  readonly signal: AbortSignal;
};

/**
 * Connects to every database of a plan at once, refuses transaction poolers, takes the project's lock everywhere (in the order of names, so
 * that two of us never wait for each other), and closes everything in the end.
 */
export async function withDatabases<T>(options: DatabasesOptions, work: (sessions: ReadonlyMap<string, Session>) => Promise<T>): Promise<T> {
  const { plan, lock: mode } = options;
  const urls = resolveUrls(Object.fromEntries(Object.entries(plan.databases).map(([name, { url }]) => [name, url])), options.env);
  const opened = new Map<string, Session>();
  try {
    const targets = [...urls.keys()].sort().map((database): ConnectOptions => {
      const variable = plan.databases[database]?.url.env ?? '';
      return { database, variable, url: urls.get(database) ?? '', role: mode === 'shared' ? 'inspect' : 'install', env: options.env };
    });
    const connected = await Promise.allSettled(targets.map((target) => connectInto(opened, target, options.clock)));
    for (const each of connected) if (each.status === 'rejected') throw each.reason;
    const sessions = new Map<string, Session>();
    for (const target of targets) {
      const session = opened.get(target.database);
      if (!session) throw new Error(`${target.database} is not connected`);
      sessions.set(target.database, session);
      const pid = await holdApplyLock({ ...options, session, project: plan.project, mode });
      if (pid !== session.backendPid) throw poolerFault(target);
    }
    return await work(sessions);
  } finally {
    await Promise.all([...opened.values()].map((session) => session.close()));
  }
}

async function connectInto(opened: Map<string, Session>, target: ConnectOptions, clock: Clock): Promise<void> {
  const session = await connect(target);
  opened.set(target.database, session);
  if (await sharesBackends({ session, other: await connect(target), clock })) throw poolerFault(target);
}

function poolerFault({ database, variable }: ConnectOptions): SarrioError {
  return failure('invalid', {
    code: 'SAR418',
    where: `database ${database}`,
    message: 'a transaction pooler stands between this connection and the server: two sessions were answered by one backend',
    hint: `Use a direct connection, or one through a pool in session mode, in ${variable}: locks and settings of a session must last.`,
  });
}
