import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { verb as approveVerb } from '../../src/commands/approve.ts';
import { verb as applyVerb } from '../../src/commands/apply.ts';
import { verb as cutoverVerb } from '../../src/commands/cutover.ts';
import { verb as destroyVerb } from '../../src/commands/destroy.ts';
import { verb as diffVerb } from '../../src/commands/diff.ts';
import { verb as kickVerb } from '../../src/commands/kick.ts';
import { verb as pauseVerb } from '../../src/commands/pause.ts';
import { verb as planVerb } from '../../src/commands/plan.ts';
import { verb as resumeVerb } from '../../src/commands/resume.ts';
import { verb as statusVerb } from '../../src/commands/status.ts';
import type { Verb } from '../../src/commands/verb.ts';
import { verb as verifyVerb } from '../../src/commands/verify.ts';
import { compileConfig } from '../../src/compiler/compile.ts';
import type { DatabaseRoles, ReplicationConfig, SyncConfig } from '../../src/index.ts';
import { type Generated, LOCK_FILE, loadGenerated, writeGenerated } from '../../src/plan/generated-files.ts';
import type { Plan, PlanOneWay } from '../../src/plan/plan.ts';
import { type DatabaseSchema, LOCK_FORMAT } from '../../src/plan/schema-lock.ts';
import { writeLock } from '../../src/plan/write-lock.ts';
import { readSchema } from '../../src/runner/5-inspect/read-schema.ts';
import { connect, type Session } from '../../src/runner/postgres/session.ts';
import type { TestDatabase } from './database.ts';
import { withFewEntries } from './few-entries.ts';
import { type Outcome, runVerb } from './run-verb.ts';

/** A compiled project on disk, and the verbs of part 3 run in this process as the program would. */
export type Installation = {
  readonly dir: string;
  readonly env: Readonly<Record<string, string>>;
  /** Reads the catalogs again and compiles: what `pull` and `compile` do. Other syncs than before may be given. */
  compile(syncs?: Readonly<Record<string, SyncConfig>>): Promise<Generated>;
  generated(): Promise<Generated>;
  plan(...args: readonly string[]): Promise<Outcome>;
  diff(...args: readonly string[]): Promise<Outcome>;
  apply(...args: readonly string[]): Promise<Outcome>;
  /** Applies with every hazard approved by its name, as somebody would who means all of it. */
  approve(): Promise<Outcome>;
  destroy(...args: readonly string[]): Promise<Outcome>;
  verify(...args: readonly string[]): Promise<Outcome>;
  cutover(...args: readonly string[]): Promise<Outcome>;
  /** `sarrio approve`: lets go what a guard holds. */
  letGo(...args: readonly string[]): Promise<Outcome>;
  resume(...args: readonly string[]): Promise<Outcome>;
  kick(...args: readonly string[]): Promise<Outcome>;
  pause(...args: readonly string[]): Promise<Outcome>;
  status(...args: readonly string[]): Promise<Outcome>;
  /** Sessions as apply has them, closed after the test. */
  sessions(): Promise<ReadonlyMap<string, Session>>;
};

/** Compiles a project over databases by name; `urls` stands in for their own connection strings, e.g. those of another role. */
export async function installation(options: {
  databases: Readonly<Record<string, TestDatabase>>;
  syncs: Readonly<Record<string, SyncConfig>>;
  project?: string;
  urls?: Readonly<Record<string, string>>;
  roles?: DatabaseRoles;
  /** How many changes of a table rounds hold in memory: fewer than the compiler says, unless told so. */
  fewEntries?: 'as compiled';
  /** Who removes it again: the end of the test, unless it is made outside of one. */
  atEnd?: (task: () => Promise<void>) => void;
}): Promise<Installation> {
  const { databases, project = 'sarrio', urls = {}, roles, atEnd = onTestFinished } = options;
  const dir = await mkdtemp(join(tmpdir(), 'sarrio-generated-'));
  atEnd(() => rm(dir, { recursive: true, force: true }));
  const env = Object.fromEntries(Object.entries(databases).map(([name, { url }]) => [variableOf(name), urls[name] ?? url]));
  const state = { syncs: options.syncs };
  const compile = async (syncs = state.syncs): Promise<Generated> => {
    state.syncs = syncs;
    const config: ReplicationConfig = {
      project,
      syncs,
      databases: Object.fromEntries(Object.keys(databases).map((name) => [name, { env: variableOf(name), ...(roles ? { roles } : {}) }])),
    };
    const lock = { format: LOCK_FORMAT, databases: await readSchemas(databases) } as const;
    await writeFile(join(dir, LOCK_FILE), writeLock(lock));
    const { files } = compileConfig({ config, spanOf: () => ({ file: 'replication.config.ts', line: 1, column: 1 }), handlers: new Map() }, lock);
    await writeGenerated(dir, options.fewEntries === 'as compiled' ? files : withFewEntries(files));
    return loadGenerated(dir);
  };
  await compile();
  const run =
    (verb: Verb) =>
    (...args: readonly string[]) =>
      runVerb(verb, [...args, '--generated', dir], { cwd: dir, env });
  const apply = run(applyVerb);
  return {
    dir,
    env,
    compile,
    generated: () => loadGenerated(dir),
    plan: run(planVerb),
    diff: run(diffVerb),
    apply,
    approve: async () => {
      const refused = (await apply()).diagnostics.flatMap(({ code, message }) => (code === 'SAR502' ? message.split(' is not approved: ')[0] : []));
      return apply(...refused.flatMap((hazard) => (hazard ? ['--allow', hazard] : [])));
    },
    destroy: run(destroyVerb),
    verify: run(verifyVerb),
    cutover: run(cutoverVerb),
    letGo: run(approveVerb),
    resume: run(resumeVerb),
    kick: run(kickVerb),
    pause: run(pauseVerb),
    status: run(statusVerb),
    sessions: () => openSessions(env, Object.keys(databases)),
  };
}

/** A one-way sync of a plan by its name. */
export function oneWayOf(plan: Plan, name: string): PlanOneWay {
  const sync = plan.syncs[name];
  if (sync?.mode !== 'one-way') throw new Error(`the plan has no one-way sync ${name}`);
  return sync;
}

function variableOf(database: string): string {
  return `${database.toUpperCase()}_URL`;
}

async function readSchemas(databases: Readonly<Record<string, TestDatabase>>): Promise<Readonly<Record<string, DatabaseSchema>>> {
  const schemas: Record<string, DatabaseSchema> = {};
  for (const [database, { url }] of Object.entries(databases)) {
    const session = await connect({ database, url, variable: variableOf(database), role: 'inspect' });
    schemas[database] = (await readSchema(session, ['public'])).schema;
    await session.close();
  }
  return schemas;
}

async function openSessions(env: Readonly<Record<string, string>>, names: readonly string[]): Promise<ReadonlyMap<string, Session>> {
  const sessions = new Map<string, Session>();
  for (const database of names) {
    const variable = variableOf(database);
    const session = await connect({ database, variable, url: env[variable] ?? '', role: 'install' });
    onTestFinished(() => (session.isOpen() ? session.close() : undefined));
    sessions.set(database, session);
  }
  return sessions;
}
