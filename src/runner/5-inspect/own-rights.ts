import type { Diagnostic } from '../../plan/diagnostic.ts';
import { SarrioError } from '../../plan/errors.ts';
import type { Plan } from '../../plan/plan.ts';
import { type PlannedRole, relaysIn, rightsOn } from '../../plan/rights.ts';
import { quoteIdent } from '../../sql/quote.ts';
import { askAgain } from '../postgres/question.ts';
import type { Session } from '../postgres/session.ts';
import { roundFaults } from './checks/sar408-run-privileges.ts';
import { sequenceFaults } from './checks/sar433-sequence-privileges.ts';
import { liveFault } from './inspection.ts';
import { bareNameOf } from './live-database.ts';
import { plannedTables } from '../../plan/planned-tables.ts';
import { readRole, readTables } from './read-tables.ts';
import { lackingOnSequences } from './sequence-rights.ts';
import { MISSING_RIGHTS } from './tables.sql.ts';

/** Refuses a session whose role lacks a right that the verb needs on the objects of ours, with the GRANTs to run. */
export async function refuseMissingRights(plan: Plan, session: Session, as: PlannedRole): Promise<void> {
  const role = await readRole(session);
  if (role !== null) refuse(await ownFaults({ plan, session, as, role: role.role }));
}

/** The same for rounds, which need rights on the user's tables too. */
export async function refuseRoundsWithoutRights(plan: Plan, session: Session): Promise<void> {
  const { database } = session;
  const runner = await readRole(session);
  if (runner === null) return;
  const tables = await readTables(
    session,
    plannedTables(plan, database).map(({ table }) => table),
    null,
  );
  const lacking = await askAgain(session, lackingOnSequences(plan, database, null));
  refuse([
    ...(await ownFaults({ plan, session, as: 'runner', role: runner.role })),
    ...roundFaults({ plan, database, inspection: { runner, tables } }),
    ...sequenceFaults(database, { runner, missingOnSequences: lacking }),
  ]);
}

function refuse(diagnostics: readonly Diagnostic[]): void {
  if (diagnostics.length > 0) throw new SarrioError({ exit: 'refused', diagnostics });
}

async function ownFaults(options: { plan: Plan; session: Session; as: PlannedRole; role: string }): Promise<readonly Diagnostic[]> {
  const { plan, session, as, role } = options;
  const planned = plan.databases[session.database];
  const relays = relaysIn(planned?.shapes ?? {});
  const wanted = (planned?.objects ?? []).flatMap((object) =>
    rightsOn(object, as, relays).map((privilege) => ({ kind: object.kind, name: object.name, bare: bareNameOf(object.name), privilege })),
  );
  const { rows } = await session.query(MISSING_RIGHTS, [JSON.stringify(wanted)]);
  if (rows.length === 0) return [];
  const grants = rows.map((row) => `GRANT ${row['privileges'] ?? ''} ON ${row['kind'] ?? ''} ${row['names'] ?? ''} TO ${quoteIdent(role)};`);
  const message = `role ${role} lacks rights on what apply installed`;
  const hint = `Name it in the config (databases.${session.database}.roles.${as}: '${role}'), compile and apply; or as the owner of schema sarrio run: ${grants.join('\n')}`;
  return [liveFault({ code: 'SAR431', database: session.database, message, hint })];
}
