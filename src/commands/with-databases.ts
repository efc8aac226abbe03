import { failure } from '../plan/errors.ts';
import type { Plan, PlanDatabase } from '../plan/plan.ts';
import { resolveUrls } from '../plan/resolve-url.ts';
import type { Clock } from '../runner/clock.ts';
import { detectPooler } from '../runner/5-inspect/detect-pooler.ts';
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
 * Connects to every database of a plan, refuses transaction poolers, takes the project's lock everywhere (in the order of names, so
 * that two of us never wait for each other), and closes everything in the end.
 */
export async function withDatabases<T>(options: DatabasesOptions, work: (sessions: ReadonlyMap<string, Session>) => Promise<T>): Promise<T> {
  const { plan, lock: mode } = options;
  const urls = resolveUrls(Object.fromEntries(Object.entries(plan.databases).map(([name, { url }]) => [name, url])), options.env);
  const sessions = new Map<string, Session>();
  try {
    for (const database of [...urls.keys()].sort()) {
      const variable = plan.databases[database]?.url.env ?? '';
      const target = { database, variable, url: urls.get(database) ?? '', role: mode === 'shared' ? 'inspect' : 'install', env: options.env } as const;
      const session = await connect(target);
      sessions.set(database, session);
      await refusePooler({ session, target, clock: options.clock });
    }
    for (const session of sessions.values()) await holdApplyLock({ ...options, session, project: plan.project, mode });
    return await work(sessions);
  } finally {
    await Promise.all([...sessions.values()].map((session) => session.close()));
  }
}

async function refusePooler(options: { session: Session; target: ConnectOptions; clock: Clock }): Promise<void> {
  const { session, target, clock } = options;
  const other = await connect(target);
  try {
    if (!(await detectPooler({ session, other, clock }))) return;
  } finally {
    await other.close();
  }
  throw failure('invalid', {
    code: 'SAR418',
    where: `database ${target.database}`,
    message: 'a transaction pooler stands between this connection and the server: two sessions were answered by one backend',
    hint: `Use a direct connection, or one through a pool in session mode, in ${target.variable}: locks and settings of a session must last.`,
  });
}
