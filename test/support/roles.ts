import { onTestFinished } from 'vitest';
import type { DatabaseRoles, SyncConfig } from '../../src/index.ts';
import { lendReplicationRole } from '../../src/runner/5-inspect/tables.sql.ts';
import type { TestDatabase } from './database.ts';
import { freshDatabase } from './databases.ts';
import { type Installation, installation } from './installation.ts';

/** Login roles of one test, none of them a superuser. */
export type Roles = { readonly owner: string; readonly runner: string; readonly reader: string };

export type Guarded = {
  readonly source: TestDatabase;
  readonly target: TestDatabase;
  readonly roles: Roles;
  /** Its verbs run as the owner. */
  readonly project: Installation;
  /** The same project as another role has it. */
  as(role: string): Installation;
};

/** What each role has to be given besides what `apply` grants: the lines that the README tells. */
export const GRANTS = {
  source: ({ owner, runner }: Roles, database: string): readonly string[] => [
    `grant create on database ${database} to ${owner}`,
    `grant trigger on all tables in schema public to ${owner}`,
    `grant select on all tables in schema public to ${runner}`,
  ],
  target: ({ owner, runner }: Roles, database: string): readonly string[] => [
    `grant create on database ${database} to ${owner}`,
    `grant select, insert, update, delete on all tables in schema public to ${runner}`,
  ],
};

/** Source and target with one sync `s`, compiled for an owner, a runner and a reader with exactly the rights that they need, nothing installed. */
export async function guarded(schema: string, options: { without?: RegExp; syncs?: Readonly<Record<string, SyncConfig>> } = {}): Promise<Guarded> {
  const [source, target] = [await freshDatabase('source'), await freshDatabase('target')];
  const names: Roles = { owner: `owner_${source.name}`, runner: `runner_${source.name}`, reader: `reader_${source.name}` };
  const all = Object.values(names);
  onTestFinished(() => dropRoles([source, target], all));
  await source.script(all.map((role) => `create role ${role} login;`).join(''));
  for (const [database, grants] of [[source, GRANTS.source] as const, [target, GRANTS.target] as const]) {
    await database.script(`revoke all on database ${database.name} from public; revoke create on schema public from public; ${schema}`);
    await database.script(`grant connect on database ${database.name} to ${all.join(', ')}; grant temporary on database ${database.name} to ${names.runner}`);
    for (const grant of grants(names, database.name)) if (!options.without?.test(grant)) await database.script(grant);
  }
  await lendReplication(target, names.runner);
  const roles: DatabaseRoles = { runner: names.runner, reader: names.reader };
  const syncs = options.syncs ?? { s: { mode: 'one-way', source: 'source', targets: ['target'], tables: ['public.*'] } };
  const urls = (role: string) => ({ source: roleUrl(source, role), target: roleUrl(target, role) });
  const project = await installation({ databases: { source, target }, syncs, roles, urls: urls(names.owner) });
  const as = (role: string): Installation => ({ ...project, env: { SOURCE_URL: urls(role).source, TARGET_URL: urls(role).target } });
  return { source, target, roles: names, project, as };
}

/** The database as another role; everybody is trusted. */
export function roleUrl(database: TestDatabase, role: string): string {
  const url = new URL(database.url);
  url.username = role;
  return url.href;
}

/** What lets a role that is no superuser set session_replication_role: a grant, or before PostgreSQL 15 a superuser's function. */
export async function lendReplication(database: TestDatabase, role: string): Promise<void> {
  if ((await serverMajor(database)) >= 15) return changeShared(database, `grant set on parameter session_replication_role to ${role}`);
  await database.script(lendReplicationRole(role));
}

export async function serverMajor(database: TestDatabase): Promise<number> {
  const rows = await database.query<{ version: string }>("select current_setting('server_version_num') as version");
  return Math.floor(Number(rows[0]?.version) / 10_000);
}

/** Runs the statements that diagnostics tell, as somebody does who takes them at their word. */
export async function runHints(database: TestDatabase, diagnostics: readonly { readonly hint: string | null }[]): Promise<void> {
  for (const { hint } of diagnostics) await database.script((hint ?? '').replace(/^[^:]*: ?\n?(?=[A-Z])|^[^\n]*:\n/, ''));
}

/** A parameter's rights are one row of the whole server, which other tests change, too; of two at once the server refuses one. */
export async function changeShared(database: TestDatabase, statement: string, tries = 20): Promise<void> {
  try {
    await database.script(statement);
  } catch (error) {
    if (tries === 1 || !/tuple concurrently updated/.test(String(error))) throw error;
    await changeShared(database, statement, tries - 1);
  }
}

async function dropRoles(databases: readonly TestDatabase[], roles: readonly string[]): Promise<void> {
  for (const database of databases) await changeShared(database, `drop owned by ${roles.join(', ')} cascade`);
  await databases[0]?.script(`drop role ${roles.join(', ')}`);
}
