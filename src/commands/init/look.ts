import type { DatabaseSchema, TableSchema } from '../../plan/schema-lock.ts';
import { displayName } from '../../sql/quote.ts';
import { readRole, type RoleFacts } from '../../runner/5-inspect/read-tables.ts';
import { readSchema } from '../../runner/5-inspect/read-schema.ts';
import { connect } from '../../runner/postgres/session.ts';
import type { VerbContext } from '../verb.ts';

/** What is there to replicate, and from what. */
export type Seen = { readonly variable: string; readonly serverMajor: number; readonly role: RoleFacts | null; readonly schema: DatabaseSchema };

/** Reads the catalog of one database in a read-only transaction. */
export async function look(variable: string, schemas: readonly string[], { env }: VerbContext): Promise<Seen> {
  const session = await connect({ database: variable, url: env[variable] ?? '', variable, role: 'inspect', env });
  try {
    const { schema } = await readSchema(session, schemas);
    return { variable, serverMajor: session.serverMajor, role: await readRole(session), schema };
  } finally {
    await session.close();
  }
}

/** Plain and partitioned tables that `pattern` names: `schema.*`, `schema.table`. */
export function tablesOf({ schema }: Seen, patterns: readonly string[]): readonly TableSchema[] {
  const isMeant = (table: TableSchema): boolean => patterns.some((pattern) => pattern === displayName(table) || pattern === `${table.schema}.*`);
  return schema.tables.filter((table) => ['table', 'partitioned'].includes(table.kind) && table.partitionOf === null && isMeant(table));
}

/** Tables without a primary key or another key that is fit for one. */
export function withoutKey(tables: readonly TableSchema[]): readonly string[] {
  return tables.filter(({ keys }) => !keys.some((key) => key.notNull && !key.deferrable)).map(displayName);
}

/** What the first look has to say, a line for each thing. */
export function report(source: Seen, target: Seen, patterns: readonly string[]): readonly string[] {
  const tables = tablesOf(source, patterns);
  const standing = new Set(target.schema.tables.map(displayName));
  const missing = tables.map(displayName).filter((name) => !standing.has(name));
  const keyless = withoutKey(tables);
  const unlogged = tables.filter(({ persistence }) => persistence === 'unlogged').map(displayName);
  return [
    `source  $${source.variable}: PostgreSQL ${source.serverMajor}, ${tables.length} tables${rights(source, false)}`,
    `target  $${target.variable}: PostgreSQL ${target.serverMajor}${rights(target, true)}`,
    ...listed('without a key, left out', keyless),
    ...listed('unlogged (a crash empties them)', unlogged),
    ...listed('not on the target: create them there before `sarrio apply`', missing),
  ];
}

function rights({ role }: Seen, isTarget: boolean): string {
  if (role === null) return '';
  const lacking = [
    ...(role.mayCreateSchema || role.mayUseSchema ? [] : [`GRANT CREATE ON DATABASE ${role.databaseName} TO ${role.role};`]),
    ...(isTarget && !role.mayReplicate ? [`GRANT SET ON PARAMETER session_replication_role TO ${role.role};`] : []),
  ];
  return lacking.length === 0 ? '' : `; role ${role.role} lacks: ${lacking.join(' ')}`;
}

function listed(what: string, names: readonly string[]): readonly string[] {
  if (names.length === 0) return [];
  const more = names.length > 5 ? ` and ${names.length - 5} more` : '';
  return [`  ${what}: ${names.slice(0, 5).join(', ')}${more}`];
}
