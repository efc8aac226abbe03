import type { Plan } from '../plan/plan.ts';
import { resolveUrls } from '../plan/resolve-url.ts';
import type { SessionRole } from '../runner/postgres/session-settings.sql.ts';
import { connect, type Session } from '../runner/postgres/session.ts';
import type { VerbContext } from './verb.ts';

/** Opens sessions to the plan's databases. All unset variables are reported together, before anything is contacted. */
export function databaseConnector(plan: Plan, { env }: VerbContext): (database: string, role: SessionRole) => Promise<Session> {
  const references = Object.fromEntries(Object.entries(plan.databases).map(([name, { url }]) => [name, url]));
  const urls = resolveUrls(references, env);
  return (database, role) => {
    const url = urls.get(database);
    const variable = references[database]?.env;
    if (url === undefined || variable === undefined) throw new Error(`the plan has no database ${database}`);
    return connect({ database, role, url, variable, env });
  };
}
