import type { Diagnostic } from '../../../plan/diagnostic.ts';
import { displayName, quoteIdent } from '../../../sql/quote.ts';
import type { Plan } from '../../../plan/plan.ts';
import { type Inspection, type LiveCheck, liveFault } from '../inspection.ts';
import { type PlannedTable, plannedTables } from '../../../plan/planned-tables.ts';
import type { Privilege } from '../read-tables.ts';

const NEEDED: Readonly<Record<'source' | 'target', readonly Privilege[]>> = {
  source: ['SELECT'],
  target: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
};

/** What `sarrio run` needs, as the role that the config names for it: to read sources wholly, to write targets, and a temporary stage table there. */
export const runPrivileges: LiveCheck = {
  code: 'SAR408',
  summary: 'the role may read the sources and write the targets',
  run: roundFaults,
};

/** What keeps the role of the rounds from reading and writing the user's tables. */
export function roundFaults({ plan, database, inspection }: { plan: Plan; database: string; inspection: Rounds }): readonly Diagnostic[] {
  const tables = plannedTables(plan, database);
  const truncated = truncatedTables(plan, database);
  const isTarget = tables.some(({ shape }) => shape.roles.includes('target'));
  return [
    ...(isTarget ? temporaryFaults(database, inspection) : []),
    ...tables.flatMap((planned) => [...grantFaults({ database, planned, inspection, truncated }), ...rowSecurityFaults({ database, planned, inspection })]),
  ];
}

type Rounds = Pick<Inspection, 'runner' | 'tables'>;
type Subject = { readonly database: string; readonly planned: PlannedTable; readonly inspection: Rounds };

function temporaryFaults(database: string, { runner: role }: Rounds): readonly Diagnostic[] {
  if (role.mayCreateTemporary) return [];
  const message = `role ${role.role} may not create temporary tables, which a target needs as a stage`;
  const hint = `Run: GRANT TEMPORARY ON DATABASE ${quoteIdent(role.databaseName)} TO ${quoteIdent(role.role)};`;
  return [liveFault({ code: 'SAR408', database, message, hint })];
}

/** Targets of full copies that begin with a TRUNCATE. */
function truncatedTables(plan: Plan, database: string): ReadonlySet<string> {
  const copies = Object.values(plan.syncs).flatMap((sync) => (sync.mode === 'full-copy' && sync.targets.includes(database) ? [sync] : []));
  return new Set(copies.filter(({ method }) => method === 'truncate').flatMap(({ tables }) => tables.map(({ target }) => displayName(target))));
}

function grantFaults({ database, planned, inspection, truncated }: Subject & { readonly truncated: ReadonlySet<string> }): readonly Diagnostic[] {
  const facts = inspection.tables.get(planned.display);
  if (!facts) return [];
  const needed = [...new Set(planned.shape.roles.flatMap((role) => NEEDED[role])), ...(truncated.has(planned.display) ? (['TRUNCATE'] as const) : [])];
  const missing = needed.filter((privilege) => !facts.runner.privileges.has(privilege));
  if (missing.length === 0) return [];
  const grantee = quoteIdent(inspection.runner.role);
  const hint = `Run: GRANT USAGE ON SCHEMA ${quoteIdent(planned.table.schema)} TO ${grantee};\nGRANT ${missing.join(', ')} ON TABLE ${planned.display} TO ${grantee};`;
  const message = `role ${inspection.runner.role} lacks ${missing.join(', ')} on this table`;
  return [liveFault({ code: 'SAR408', database, table: planned.display, message, hint })];
}

function rowSecurityFaults({ database, planned, inspection }: Subject): readonly Diagnostic[] {
  if (!inspection.tables.get(planned.display)?.runner.rowSecurity) return [];
  const { role } = inspection.runner;
  const message = `row security applies to role ${role} here: it would see or write only some of the rows`;
  return [liveFault({ code: 'SAR408', database, table: planned.display, message, hint: `A superuser can run: ALTER ROLE ${quoteIdent(role)} BYPASSRLS;` })];
}
