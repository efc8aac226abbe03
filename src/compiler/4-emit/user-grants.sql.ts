import type { Plan } from '../../plan/plan.ts';
import { type PlannedTable, plannedTables } from '../../plan/planned-tables.ts';
import { neededOnSequences } from '../../plan/sequence-rights.ts';
import { generatedHeader } from '../../plan/generated-header.ts';
import { displayName, dollarQuote, literal, type QualifiedName, quoteIdent } from '../../sql/quote.ts';

/** Roles of a database as the config names them. */
export type NamedRoles = { readonly owner?: string; readonly runner?: string; readonly reader?: string };

type Grantee = { readonly plan: Plan; readonly database: string; readonly role: string };

/**
 * Purpose: the roles of one database, and what each needs on objects that are the user's: on those of ours, `apply` grants it. Run by whoever may,
 * once, and again after a change; never by us. Reads: pg_roles. Writes: roles, privileges. Called by: `emit`.
 */
export function userGrants(plan: Plan, database: string, { owner, runner, reader }: NamedRoles): string {
  const named = [owner, runner, reader].flatMap((role) => role ?? []);
  const at = (role: string): Grantee => ({ plan, database, role });
  return [
    generatedHeader('--'),
    '--',
    comment(
      `The roles of database ${database}, and what they need on tables, sequences and schemas that are yours; on Sarrio's own objects \`apply\` grants it.`,
    ),
    '-- Run it with psql as a superuser (GRANT SET is theirs), and again when it has changed. It takes nothing away. Roles get no password here.',
    'begin;',
    ...named.map(createRole),
    ...(owner === undefined ? [] : ['', comment(`${owner} applies: schema sarrio, and triggers on captured tables.`), ...ownerGrants(at(owner))]),
    ...(runner === undefined ? [] : ['', comment(`${runner} runs: reads sources, writes targets.`), ...runnerGrants(at(runner))]),
    ...(reader === undefined
      ? []
      : [
          '',
          comment(`${reader} asks: \`verify\` reads the tables, and keeps what differs in temporary ones; \`plan\` looks at sequences.`),
          ...readerGrants(at(reader)),
        ]),
    'commit;',
    '',
  ].join('\n');
}

function createRole(role: string): string {
  return block(`if not exists (select from pg_roles where rolname = ${text(role)}) then create role ${quoteIdent(role)} login; end if;`);
}

/** The name of the database is another one in every environment. */
function onDatabase(privileges: string, role: string): string {
  return block(`execute format('grant ${privileges} on database %I to %I', current_database(), ${text(role)});`);
}

function ownerGrants({ plan, database, role }: Grantee): readonly string[] {
  const captures = plan.databases[database]?.captures ?? [];
  const written = new Set(masterTables(plan, database).map(displayName));
  const tables = captures.flatMap(({ table, partitions }) =>
    [table, ...partitions.map((each) => each.table)].map((each) => ({ table: each, rights: written.has(displayName(table)) ? 'select, trigger' : 'trigger' })),
  );
  const always = captures.filter(({ captureTriggers }) => captureTriggers === 'always').map(({ table }) => displayName(table));
  const counting = (plan.databases[database]?.sequences ?? []).map(({ sequence }) => displayName(sequence));
  return [
    onDatabase('connect, create', role),
    ...onSchemas(
      tables.map(({ table }) => table),
      role,
    ),
    ...tables.map(({ table, rights }) => grant(rights, `table ${displayName(table)}`, role)),
    ...always.map((name) => comment(`captureTriggers: 'always' on ${name}: its owner alone may say that. Grant the role that owns it to ${role}.`)),
    ...counting.map((name) => comment(`Sequence ${name} counts in steps, and its owner alone may let it. Grant the role that owns it to ${role}.`)),
  ];
}

function runnerGrants({ plan, database, role }: Grantee): readonly string[] {
  const tables = plannedTables(plan, database);
  const isTarget = tables.some(({ shape }) => shape.roles.includes('target'));
  const truncated = truncatedTables(plan, database);
  const sequences = neededOnSequences(plan, database);
  return [
    onDatabase(isTarget ? 'connect, temporary' : 'connect', role),
    ...onSchemas([...tables.map(({ table }) => table), ...sequences], role),
    ...tables.map((planned) => grant(roundRights(planned, truncated), `table ${planned.display}`, role)),
    ...sequences.map((each) => grant(each.privilege.toLowerCase(), `sequence ${displayName(each)}`, role)),
    ...(isTarget ? [setReplicationRole(role)] : []),
  ];
}

function readerGrants({ plan, database, role }: Grantee): readonly string[] {
  const tables = plannedTables(plan, database);
  const isTarget = tables.some(({ shape }) => shape.roles.includes('target'));
  const sequences = (plan.databases[database]?.sequences ?? []).map(({ sequence }) => sequence);
  return [
    onDatabase(isTarget ? 'connect, temporary' : 'connect', role),
    ...onSchemas([...tables.map(({ table }) => table), ...sequences], role),
    ...tables.map(({ display }) => grant('select', `table ${display}`, role)),
    ...sequences.map((sequence) => grant('select', `sequence ${displayName(sequence)}`, role)),
  ];
}

function roundRights({ shape, display }: PlannedTable, truncated: ReadonlySet<string>): string {
  if (!shape.roles.includes('target')) return 'select';
  return truncated.has(display) ? 'select, insert, update, delete, truncate' : 'select, insert, update, delete';
}

function masterTables(plan: Plan, database: string): readonly QualifiedName[] {
  return Object.values(plan.syncs).flatMap((sync) =>
    sync.mode === 'multi-master' && sync.members.includes(database) ? sync.tables.map(({ source }) => source) : [],
  );
}

function truncatedTables(plan: Plan, database: string): ReadonlySet<string> {
  const copies = Object.values(plan.syncs).flatMap((sync) => (sync.mode === 'full-copy' && sync.targets.includes(database) ? [sync] : []));
  return new Set(copies.filter(({ method }) => method === 'truncate').flatMap(({ tables }) => tables.map(({ target }) => displayName(target))));
}

function onSchemas(objects: readonly QualifiedName[], role: string): readonly string[] {
  return [...new Set(objects.map(({ schema }) => schema))].sort().map((schema) => grant('usage', `schema ${quoteIdent(schema)}`, role));
}

function grant(privileges: string, on: string, role: string): string {
  return `grant ${privileges} on ${on} to ${quoteIdent(role)};`;
}

/** PostgreSQL 14 has no such right: there `sarrio plan` prints the function that a superuser installs in its place. */
function setReplicationRole(role: string): string {
  const granting = text(`grant set on parameter session_replication_role to ${quoteIdent(role)}`);
  return block(`if current_setting('server_version_num')::int >= 150000 then execute ${granting}; end if;`);
}

function block(body: string): string {
  const quote = dollarQuote(body).text;
  return `do ${quote} begin ${body} end ${quote};`;
}

function text(value: string): string {
  return literal(value).text;
}

/** Names may hold anything, line breaks as well. */
function comment(words: string): string {
  return `-- ${words.replace(/\s+/g, ' ')}`;
}
