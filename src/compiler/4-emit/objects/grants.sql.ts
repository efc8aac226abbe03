import type { DatabaseRoles } from '../../../plan/plan.ts';
import { type PlannedRole, rightsOn } from '../../../plan/rights.ts';
import { quoteIdent } from '../../../sql/quote.ts';
import { dangerousRaw, join, type Sql } from '../../../sql/sql.ts';
import type { EmittedObject, SqlFile } from '../sql-file.ts';

const ROLES = ['runner', 'reader'] as const satisfies readonly PlannedRole[];

/**
 * Purpose: lets the roles that the config names use objects of ours, each exactly as far as its verbs need.
 * Reads: nothing. Writes: privileges of objects of ours. Called by: `emit`.
 */
export function withGrants(file: SqlFile, to: { readonly roles: DatabaseRoles; readonly relays: boolean }): SqlFile {
  const granted = (object: EmittedObject): EmittedObject => {
    const grants = ROLES.flatMap((role) => grantTo(object, { role, grantee: to.roles[role], relays: to.relays }));
    return grants.length === 0 ? object : { ...object, text: join([object.text, ...grants], '\n') };
  };
  return { ...file, objects: file.objects.map(granted) };
}

function grantTo(object: EmittedObject, to: { role: PlannedRole; grantee: string | undefined; relays: boolean }): readonly Sql[] {
  const rights = rightsOn(object, to.role, to.relays);
  if (to.grantee === undefined || rights.length === 0) return [];
  const list = rights.join(', ').toLowerCase();
  return [dangerousRaw(`grant ${list} on ${object.kind} ${object.name} to ${quoteIdent(to.grantee)};`)];
}
