import { readdir, readFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { verb as applyVerb } from '../../src/commands/apply.ts';
import { verb as diffVerb } from '../../src/commands/diff.ts';
import { verb as planVerb } from '../../src/commands/plan.ts';
import type { Verb } from '../../src/commands/verb.ts';
import { startEvaluator } from '../../src/compiler/1-load/evaluate/evaluator.ts';
import { type LoadedConfig, loadConfig } from '../../src/compiler/1-load/load-config.ts';
import { schemasOf } from '../../src/compiler/2-model/config-schemas.ts';
import { compileConfig } from '../../src/compiler/compile.ts';
import type { SyncConfig } from '../../src/index.ts';
import { bindEnvironment } from '../../src/plan/environment.ts';
import { LOCK_FILE, writeGenerated } from '../../src/plan/generated-files.ts';
import { LOCK_FORMAT } from '../../src/plan/schema-lock.ts';
import { writeLock } from '../../src/plan/write-lock.ts';
import { readSchema } from '../../src/runner/5-inspect/read-schema.ts';
import { connect } from '../../src/runner/postgres/session.ts';
import { lendReplicationRole } from '../../src/runner/5-inspect/tables.sql.ts';
import { CASES } from '../compiler/case-names.ts';
import { inventory, ourObjects } from '../support/catalog.ts';
import { openDatabase, type TestDatabase } from '../support/database.ts';
import { type Outcome, runVerb } from '../support/run-verb.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** Those that compile, so that there is something to apply. */
const NAMES = ['carry', 'environments', 'full-copy', 'guard', 'handlers', 'masters', 'masters-sequences', 'merging', 'patterns', 'shop', 'two-syncs'];

const evaluator = startEvaluator();
afterAll(() => evaluator.close());

/** A golden case on real servers: its config as it is, and with a part of it gone. */
type Project = {
  readonly databases: ReadonlyMap<string, TestDatabase>;
  use(state: 'whole' | 'part'): Promise<void>;
  run(verb: Verb, ...args: string[]): Promise<Outcome>;
};

describe.each([14, 15, 16, 17, 18] as const)('golden cases on PostgreSQL %i', (major) => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startServer({ major, durable: false });
  }, 120_000);

  afterAll(() => server?.dispose());

  test.each(NAMES)('%s: applied, planned empty, a part taken away and back, and everything is as at first', { timeout: 120_000 }, async (name) => {
    const project = await projectOf(server, name);
    await project.use('whole');
    await settles(project);
    const first = await objectsOf(project);
    expect(first.flat().length).toBeGreaterThan(10);
    await project.use('part');
    await settles(project);
    expect(await objectsOf(project)).not.toEqual(first);
    await project.use('whole');
    await settles(project);
    expect(await objectsOf(project)).toEqual(first);
  });
});

/** Applies with every hazard approved by its name; then there is nothing left to do, and nothing is otherwise than it says. */
async function settles({ run }: Project): Promise<void> {
  const refused = (await run(applyVerb)).diagnostics.flatMap(({ code, message }) => (code === 'SAR502' ? message.split(' is not approved: ')[0] : []));
  if (refused.length > 0) await run(applyVerb, ...refused.flatMap((hazard) => (hazard ? ['--allow', hazard] : [])));
  const planned = await run(planVerb);
  expect(planned.diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  expect(planned).toMatchObject({ exit: 'ok', data: { steps: [] } });
  expect(await run(diffVerb)).toMatchObject({ exit: 'ok' });
}

async function objectsOf({ databases }: Project): Promise<readonly (readonly unknown[])[]> {
  return Promise.all([...databases.values()].map(async (database) => [...(await ourObjects(database)), ...(await inventory(database))]));
}

async function projectOf(server: TestServer, name: string): Promise<Project> {
  const folder = join(CASES, name);
  const loaded = await loadConfig({ path: 'replication.config.ts', cwd: folder, evaluator });
  const dir = await mkdtemp(join(tmpdir(), 'sarrio-case-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const databases = await databasesOf(server, folder);
  const state: { env: Record<string, string>; named: readonly string[] } = { env: {}, named: [] };
  return {
    databases,
    use: async (which) => {
      const lock = { format: LOCK_FORMAT, databases: await schemasOfAll(databases, loaded) } as const;
      const { plan, files } = compileConfig(which === 'whole' ? loaded : part(loaded), lock);
      await writeFile(join(dir, LOCK_FILE), writeLock(lock));
      await writeGenerated(dir, files);
      const environment = Object.keys(plan.environments ?? {})[0] ?? null;
      state.named = environment === null ? [] : ['--env', environment];
      const bound = bindEnvironment(plan, environment);
      state.env = Object.fromEntries(Object.entries(bound.databases).map(([database, { url }]) => [url.env, databases.get(database)?.url ?? '']));
      await grant(files, { databases, server });
    },
    run: (verb, ...args) => runVerb(verb, [...args, ...state.named, '--generated', dir], { cwd: dir, env: state.env }),
  };
}

/** Without its last sync, or without the last table of the only one. */
function part(loaded: LoadedConfig): LoadedConfig {
  const { environments: _, ...config } = loaded.config;
  const syncs = Object.entries(config.syncs);
  const [only] = syncs;
  const fewer =
    syncs.length > 1 ? syncs.slice(0, -1) : only === undefined ? [] : [[only[0], { ...only[1], tables: only[1].tables.slice(0, -1) } as SyncConfig] as const];
  return { ...loaded, config: { ...config, syncs: Object.fromEntries(fewer) } };
}

async function databasesOf(server: TestServer, folder: string): Promise<ReadonlyMap<string, TestDatabase>> {
  const found = new Map<string, TestDatabase>();
  for (const script of (await readdir(folder)).filter((file) => file.endsWith('.sql')).sort()) {
    const text = await readFile(join(folder, script), 'utf8');
    const name = `${folder.split('/').at(-1)}_${script.replace('.sql', '')}`;
    const encoding = /^-- encoding: (\w+)$/m.exec(text)?.[1] ?? 'UTF8';
    const maintenance = openDatabase(server.url('postgres'));
    await maintenance.query(`create database "${name}" template template0 encoding '${encoding}'`);
    await maintenance.close();
    const database = openDatabase(server.url(name));
    onTestFinished(() => database.close());
    await database.script(text);
    found.set(script.replace('.sql', ''), database);
  }
  return found;
}

async function schemasOfAll(databases: ReadonlyMap<string, TestDatabase>, { config }: LoadedConfig) {
  const wanted = schemasOf(config);
  const read = [...databases].map(async ([database, { url }]) => {
    const session = await connect({ database, variable: 'CASE_URL', url, role: 'inspect' });
    const { schema } = await readSchema(session, wanted.get(database) ?? []);
    await session.close();
    return [database, schema] as const;
  });
  return Object.fromEntries(await Promise.all(read));
}

/** Roles and their rights on tables and sequences, as the generated files say it; before 15 they cannot say all. */
async function grant(files: ReadonlyMap<string, string>, { databases, server }: Pick<Project, 'databases'> & { server: TestServer }): Promise<void> {
  for (const [name, database] of databases) {
    const text = files.get(`grants/${name}.sql`);
    if (text === undefined) continue;
    await database.script(text);
    if (server.major < 15) for (const [, role] of text.matchAll(/create role (\w+)/g)) await database.script(lendReplicationRole(role ?? ''));
  }
}
