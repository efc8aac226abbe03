import type { Diagnostic } from '../../../plan/diagnostic.ts';
import type { Plan, PlanCapture } from '../../../plan/plan.ts';
import { displayName, quoteIdent } from '../../../sql/quote.ts';
import { type Inspection, type LiveCheck, liveFault } from '../inspection.ts';
import { plannedTables } from '../../../plan/planned-tables.ts';

/** What `sarrio apply` needs: a schema of its own, its own objects, and the right to create triggers on sources, and to read those of multi-master syncs. Ownership of tables is needed only where triggers are to fire always. */
export const applyPrivileges: LiveCheck = {
  code: 'SAR407',
  summary: 'the role may install schema sarrio and create triggers on the captured tables',
  run: ({ plan, database, inspection }) => {
    if (plan.databases[database]?.objects.length === 0) return [];
    const captured = new Set((plan.databases[database]?.captures ?? []).map(({ table }) => displayName(table)));
    const sources = plannedTables(plan, database).filter(({ display }) => captured.has(display));
    return [
      ...schemaFaults(database, inspection),
      ...ownershipFaults(database, inspection),
      ...sources.flatMap(({ display }) => triggerFaults({ database, display, inspection })),
      ...masterTables(plan, database).flatMap((display) => readingFaults({ database, display, inspection })),
      ...(plan.databases[database]?.captures ?? []).flatMap((capture) => alwaysFaults({ database, capture, inspection })),
    ];
  },
};

/** What `sarrio destroy` needs: to own what it drops. */
export const removalPrivileges: LiveCheck = {
  code: 'SAR407',
  summary: 'the role owns what is installed',
  run: ({ database, inspection }) => ownershipFaults(database, inspection),
};

function schemaFaults(database: string, { role }: Inspection): readonly Diagnostic[] {
  const grantee = quoteIdent(role.role);
  if (role.mayUseSchema === null && !role.mayCreateSchema) {
    const message = `role ${role.role} may not create schema sarrio`;
    return [liveFault({ code: 'SAR407', database, message, hint: `Run: GRANT CREATE ON DATABASE ${quoteIdent(role.databaseName)} TO ${grantee};` })];
  }
  if (role.mayUseSchema === false) {
    const message = `role ${role.role} may not create objects in schema sarrio, which belongs to ${role.schemaOwner ?? 'another role'}`;
    return [liveFault({ code: 'SAR407', database, message, hint: `Run: GRANT ${role.schemaOwner ?? '<owner>'} TO ${grantee};` })];
  }
  return [];
}

function ownershipFaults(database: string, { live, role }: Inspection): readonly Diagnostic[] {
  const known = new Set(live.installed.map(({ name }) => name));
  const foreign = live.objects.filter((object) => !object.owned && object.trigger === null && known.has(object.name));
  const first = foreign[0];
  if (!first) return [];
  const more = foreign.length > 1 ? ` and ${foreign.length - 1} more` : '';
  const message = `role ${role.role} does not own ${first.kind} ${first.name}${more}, which an earlier apply installed`;
  const hint = `Connect as the role that ran it, or run: GRANT ${role.schemaOwner ?? '<owner>'} TO ${quoteIdent(role.role)};`;
  return [liveFault({ code: 'SAR407', database, message, hint })];
}

function triggerFaults(options: { database: string; display: string; inspection: Inspection }): readonly Diagnostic[] {
  const { database, display, inspection } = options;
  const { role, tables } = inspection;
  const facts = tables.get(display);
  if (!facts) return [];
  const denied = [...(facts.privileges.has('TRIGGER') ? [] : [facts.table]), ...facts.untriggerable];
  if (denied.length === 0) return [];
  const schemas = [...new Set(denied.map(({ schema }) => quoteIdent(schema)))].join(', ');
  const grants = `Run: GRANT USAGE ON SCHEMA ${schemas} TO ${quoteIdent(role.role)};\nGRANT SELECT, TRIGGER ON TABLE ${denied.map(displayName).join(', ')} TO ${quoteIdent(role.role)};`;
  const message = `role ${role.role} may not create triggers here`;
  return [liveFault({ code: 'SAR407', database, table: display, message, hint: grants })];
}

function masterTables(plan: Plan, database: string): readonly string[] {
  const tables = Object.values(plan.syncs).flatMap((sync) => (sync.mode === 'multi-master' && sync.members.includes(database) ? sync.tables : []));
  return [...new Set(tables.map(({ source }) => displayName(source)))];
}

/** Between masters a TRUNCATE is recorded key by key, by a function that belongs to this role. */
function readingFaults(options: { database: string; display: string; inspection: Inspection }): readonly Diagnostic[] {
  const { database, display, inspection } = options;
  const facts = inspection.tables.get(display);
  if (!facts) return [];
  const { role } = inspection.role;
  const fault = (message: string, hint: string): Diagnostic => liveFault({ code: 'SAR407', database, table: display, message, hint });
  const denied = [...(facts.privileges.has('SELECT') ? [] : [facts.table]), ...facts.unreadable];
  const schemas = [...new Set(denied.map(({ schema }) => quoteIdent(schema)))].join(', ');
  const grants = `Run: GRANT USAGE ON SCHEMA ${schemas} TO ${quoteIdent(role)};\nGRANT SELECT ON TABLE ${denied.map(displayName).join(', ')} TO ${quoteIdent(role)};`;
  const message = `role ${role} may not read ${denied.map(displayName).join(', ')}: before a TRUNCATE the keys are recorded as this role`;
  const hidden = `row security applies to role ${role} here: before a TRUNCATE it could not record every key`;
  return [
    ...(denied.length === 0 ? [] : [fault(message, grants)]),
    ...(facts.rowSecurity ? [fault(hidden, `A superuser can run: ALTER ROLE ${quoteIdent(role)} BYPASSRLS;`)] : []),
  ];
}

/** `ALTER TABLE … ENABLE ALWAYS TRIGGER` is the owner's alone. */
function alwaysFaults(options: { database: string; capture: PlanCapture; inspection: Inspection }): readonly Diagnostic[] {
  const { database, capture, inspection } = options;
  const facts = inspection.tables.get(displayName(capture.table));
  if (capture.captureTriggers !== 'always' || !facts || facts.unowned.length === 0) return [];
  const message = `captureTriggers: 'always' needs the table's owner, and role ${inspection.role.role} does not own ${facts.unowned.map(displayName).join(', ')}`;
  const hint = `GRANT the owning role TO ${quoteIdent(inspection.role.role)}, or let the capture triggers fire in origin sessions only.`;
  return [liveFault({ code: 'SAR407', database, table: displayName(capture.table), message, hint })];
}
