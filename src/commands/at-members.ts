import type { Plan } from '../plan/plan.ts';
import type { SessionRole } from '../runner/postgres/session-settings.sql.ts';
import type { Session } from '../runner/postgres/session.ts';
import { databaseConnector } from './plan-databases.ts';
import type { VerbContext } from './verb.ts';

/** Sessions to these members, all of which must answer, closed when the work is done. */
export async function atMembers<T>(
  plan: Plan,
  { context, role, members }: { context: VerbContext; role: SessionRole; members: readonly string[] },
  work: (sessions: readonly Session[]) => Promise<T>,
): Promise<T> {
  const connect = databaseConnector(plan, context);
  const sessions: Session[] = [];
  try {
    for (const name of members) sessions.push(await connect(name, role));
    return await work(sessions);
  } finally {
    await Promise.all(sessions.map((session) => session.close()));
  }
}

/** Every member of a multi-master sync of the plan. */
export function allMembers(plan: Plan): readonly string[] {
  return [...new Set(Object.values(plan.syncs).flatMap((sync) => (sync.mode === 'multi-master' ? sync.members : [])))];
}
