import { failure } from '../../plan/errors.ts';
import type { Clock } from '../clock.ts';
import type { Session } from '../postgres/session.ts';
import type { ApplyLog } from './apply-event.ts';
import { LOCK_HOLDER, TRY_LOCK } from './apply-lock.sql.ts';

const LOOK_AGAIN_MS = 200;

export type ApplyLockOptions = {
  readonly session: Session;
  readonly project: string;
  readonly mode: 'exclusive' | 'shared';
  readonly waitMs: number;
  readonly clock: Clock;
  readonly log: ApplyLog;
  readonly signal: AbortSignal;
};

/** Takes the project's lock in one database, or says who holds it. It goes when the session goes. Returns the backend that holds it now. */
export async function holdApplyLock(options: ApplyLockOptions): Promise<number> {
  const { session, project, clock, signal } = options;
  const deadline = clock.now() + options.waitMs;
  let isAnnounced = false;
  for (;;) {
    const pid = await tryLock(options);
    if (pid !== null) return pid;
    const holder = await lockHolder(session, project);
    if (clock.now() >= deadline || signal.aborted) throw busy(options, holder);
    if (!isAnnounced) options.log({ kind: 'waiting-for-lock', database: session.database, holder });
    isAnnounced = true;
    await clock.sleep(LOOK_AGAIN_MS, signal);
  }
}

/** The backend that holds it; null when somebody else does. */
async function tryLock({ session, project, mode }: ApplyLockOptions): Promise<number | null> {
  const { rows } = await session.query(TRY_LOCK[mode], [project]);
  return rows[0]?.['is_held'] === 't' ? Number(rows[0]['pid']) : null;
}

async function lockHolder(session: Session, project: string): Promise<string> {
  const row = (await session.query(LOCK_HOLDER, [project])).rows[0];
  if (!row) return 'a session that just ended';
  const { pid, application_name: application, usename: user, client_addr: address, backend_start: since } = row;
  return `backend ${pid ?? '?'} (${application || 'no application_name'}, user ${user ?? '?'}, ${address ?? 'local'}, since ${since ?? '?'})`;
}

function busy(options: ApplyLockOptions, holder: string): Error {
  return failure('busy', {
    code: 'SAR504',
    where: `database ${options.session.database}`,
    message: `another apply of project '${options.project}' is at work: ${holder}`,
    hint: 'Wait for it and run again, or wait longer with --wait-lock SECONDS. If that process is dead: SELECT pg_terminate_backend(<its pid>);',
  });
}
