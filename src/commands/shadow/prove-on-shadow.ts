import { randomBytes } from 'node:crypto';
import { createShadow, createShadowRole, dropShadow, dropShadowRole, shadowSchema, unmadeTypes } from '../../compiler/4-emit/objects/shadow.sql.ts';
import type { Diagnostic } from '../../plan/diagnostic.ts';
import { failure } from '../../plan/errors.ts';
import type { Generated } from '../../plan/generated-files.ts';
import type { Plan } from '../../plan/plan.ts';
import type { DatabaseSchema, SchemaLock } from '../../plan/schema-lock.ts';
import type { Sql } from '../../sql/sql.ts';
import { applySteps } from '../../runner/7-apply/apply-steps.ts';
import type { ApplyContext } from '../../runner/7-apply/run-group.ts';
import { sqlState } from '../../runner/postgres/connection-failure.ts';
import { failureText } from '../../runner/postgres/error-text.ts';
import { connect, type Session } from '../../runner/postgres/session.ts';
import { readChanges, readRemoval } from '../read-changes.ts';
import { headline } from '../change-plan/print-text.ts';

/** A server on which databases may be made and dropped. */
export type Shadow = { readonly url: string; readonly env: Readonly<Record<string, string | undefined>> };

export type ShadowProof = { readonly serverMajor: number; readonly installed: number; readonly faults: readonly Diagnostic[] };

type Surroundings = Omit<ApplyContext, 'plan'>;

/**
 * Tries generated/ on databases that were made for it, with tables as the schema lock has them: that everything installs, that a second
 * plan is empty, and that removing it leaves nothing. The databases are dropped in the end.
 */
export async function proveOnShadow(options: { generated: Generated; lock: SchemaLock; shadow: Shadow; surroundings: Surroundings }): Promise<ShadowProof> {
  const { generated, lock, shadow, surroundings } = options;
  const { plan } = generated;
  refuseUnmade(plan, lock);
  const maintenance = await open(shadow, 'shadow', shadow.url);
  const undo: (() => Promise<unknown>)[] = [];
  try {
    for (const role of rolesOf(plan)) if (await madeRole(maintenance, role)) undo.unshift(() => maintenance.query(dropShadowRole(role).text));
    const sessions = new Map<string, Session>();
    for (const [database, schema] of databasesOf(plan, lock)) {
      const name = `sarrio_shadow_${randomBytes(6).toString('hex')}`;
      await maintenance.query(createShadow(name, schema.encoding).text);
      undo.unshift(() => maintenance.query(dropShadow(name).text));
      const session = await open(shadow, database, otherDatabase(shadow.url, name));
      undo.unshift(() => session.close());
      sessions.set(database, session);
      await build(session, database, shadowSchema(schema));
    }
    return { serverMajor: maintenance.serverMajor, ...(await prove({ generated, sessions, context: { ...surroundings, plan } })) };
  } finally {
    for (const each of undo) await each();
    await maintenance.close();
  }
}

type Trial = { readonly generated: Generated; readonly sessions: ReadonlyMap<string, Session>; readonly context: ApplyContext };

async function prove({ generated, sessions, context }: Trial): Promise<Pick<ShadowProof, 'installed' | 'faults'>> {
  const first = await readChanges(generated, sessions);
  const refused = first.diagnostics.filter(({ severity }) => severity === 'error');
  if (refused.length > 0) return { installed: 0, faults: refused };
  await applySteps({ ...first.changePlan, sessions, context });
  const again = (await readChanges(generated, sessions)).changePlan.steps;
  const removal = await readRemoval(context.plan, sessions);
  await applySteps({ ...removal.changePlan, sessions, context });
  const left = (await readRemoval(context.plan, sessions)).changePlan.steps;
  const rest = [
    ['planning again after everything was installed', again],
    ['removing it', left],
  ] as const;
  const faults = rest.flatMap(([what, [step, ...more]]): readonly Diagnostic[] => {
    if (step === undefined) return [];
    const message = `${what} leaves ${headline([step, ...more])}; the first is ${step.id}: ${step.reason}`;
    return [
      {
        code: 'SAR520',
        severity: 'error',
        message,
        hint: 'This is a fault of the generated SQL: please report it.',
        span: null,
        where: `database ${step.database}`,
      },
    ];
  });
  return { installed: first.changePlan.steps.length, faults };
}

/** Types, parents and tables in whatever order they can stand in: what lacks another thing is tried again. */
async function build(session: Session, database: string, statements: readonly Sql[]): Promise<void> {
  let waiting = statements;
  while (waiting.length > 0) {
    const failed: { readonly statement: Sql; readonly error: unknown }[] = [];
    for (const statement of waiting) {
      await session.query(statement.text).catch((error: unknown) => failed.push({ statement, error }));
    }
    const [first] = failed;
    const isStuck = failed.length === waiting.length || failed.some(({ error }) => !MISSING.has(sqlState(error) ?? ''));
    if (first && isStuck) throw unbuilt(database, failed.find(({ error }) => !MISSING.has(sqlState(error) ?? '')) ?? first);
    waiting = failed.map(({ statement }) => statement);
  }
}

/** undefined_object, undefined_table, invalid_schema_name */
const MISSING: ReadonlySet<string> = new Set(['42704', '42P01', '3F000']);

function unbuilt(database: string, { statement, error }: { statement: Sql; error: unknown }): Error {
  return failure('failed', {
    code: 'SAR521',
    where: `database ${database}, on the shadow server`,
    cause: error,
    message: `cannot make the tables of the schema lock: ${failureText(error)} (${statement.text.split('\n')[0]?.slice(0, 120) ?? ''})`,
    hint: 'The shadow server needs the same extensions as yours, and a role that may create databases; its major version should be the same.',
  });
}

function refuseUnmade(plan: Plan, lock: SchemaLock): void {
  const types = databasesOf(plan, lock).flatMap(([, schema]) => unmadeTypes(schema));
  if (types.length === 0) return;
  throw failure('refused', {
    code: 'SAR522',
    message: `type ${types[0] ?? ''} is written in C and of no extension: no shadow database can have it`,
    hint: 'Try the generated SQL on a copy of your database instead.',
  });
}

function databasesOf(plan: Plan, lock: SchemaLock): readonly (readonly [string, DatabaseSchema])[] {
  return Object.keys(plan.databases).map((name) => {
    const schema = lock.databases[name];
    if (schema) return [name, schema];
    throw failure('invalid', { code: 'SAR523', message: `the schema lock does not have database ${name}`, hint: 'Run `sarrio pull` and `sarrio compile`.' });
  });
}

function rolesOf(plan: Plan): readonly string[] {
  return [...new Set(Object.values(plan.databases).flatMap(({ roles }) => Object.values(roles ?? {})))];
}

/** Whether it was made here, and so is to be dropped; duplicate_object: it was there. */
async function madeRole(session: Session, role: string): Promise<boolean> {
  try {
    await session.query(createShadowRole(role).text);
    return true;
  } catch (error) {
    if (sqlState(error) === '42710') return false;
    throw error;
  }
}

function open({ env }: Shadow, database: string, url: string): Promise<Session> {
  return connect({ database, url, env, variable: '--shadow', role: 'install' });
}

function otherDatabase(url: string, name: string): string {
  if (!URL.canParse(url)) throw failure('invalid', { code: 'SAR524', message: '--shadow wants a connection string: postgres://user@host/database' });
  const other = new URL(url);
  other.pathname = `/${encodeURIComponent(name)}`;
  return other.href;
}
