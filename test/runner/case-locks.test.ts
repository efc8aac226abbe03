import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startEvaluator } from '../../src/compiler/1-load/evaluate/evaluator.ts';
import { loadConfig } from '../../src/compiler/1-load/load-config.ts';
import { schemasOf } from '../../src/compiler/2-model/config-schemas.ts';
import { type DatabaseSchema, LOCK_FORMAT } from '../../src/plan/schema-lock.ts';
import { writeLock } from '../../src/plan/write-lock.ts';
import { readSchema } from '../../src/runner/5-inspect/read-schema.ts';
import { connect } from '../../src/runner/postgres/session.ts';
import { CASES, caseNames, OLD_LOCKS } from '../compiler/case-names.ts';
import { openDatabase } from '../support/database.ts';
import { startServer, type TestServer } from '../support/server.ts';

const evaluator = startEvaluator();
afterAll(() => evaluator.close());

const UPDATE = process.env.UPDATE_CASES === '1';

/** A case's `schema.lock.json` is not written by hand: it is what a server says of the case's `<database>.sql`. */
describe('schema locks of the golden cases', () => {
  let server: TestServer;

  beforeAll(async () => {
    server = await startServer({ major: 17, durable: false });
  }, 120_000);

  afterAll(() => server?.dispose());

  test.each(caseNames())('%s', async (name) => {
    const folder = join(CASES, name);
    const lock = writeLock({ format: OLD_LOCKS[name] ?? LOCK_FORMAT, databases: await pullCase(server, name) });
    if (UPDATE) await writeFile(join(folder, 'schema.lock.json'), lock);
    expect(lock).toBe(await readFile(join(folder, 'schema.lock.json'), 'utf8'));
  });
});

async function pullCase(server: TestServer, name: string): Promise<Readonly<Record<string, DatabaseSchema>>> {
  const folder = join(CASES, name);
  const scripts = (await readdir(folder)).filter((file) => file.endsWith('.sql')).sort();
  const databases: Record<string, DatabaseSchema> = {};
  for (const script of scripts) {
    const database = script.replace('.sql', '');
    const schemas = await schemasOfCase(folder, database);
    databases[database] = await pullDatabase(server, { name: `${name}_${database}`, text: await readFile(join(folder, script), 'utf8'), schemas });
  }
  return databases;
}

async function schemasOfCase(folder: string, database: string): Promise<readonly string[]> {
  const { config } = await loadConfig({ path: 'replication.config.ts', cwd: folder, evaluator });
  return schemasOf(config).get(database) ?? [];
}

async function pullDatabase(server: TestServer, options: { name: string; text: string; schemas: readonly string[] }): Promise<DatabaseSchema> {
  const { name, text, schemas } = options;
  const encoding = /^-- encoding: (\w+)$/m.exec(text)?.[1] ?? 'UTF8';
  const maintenance = openDatabase(server.url('postgres'));
  await maintenance.query(`create database "${name}" template template0 encoding '${encoding}'`);
  await maintenance.close();
  const database = openDatabase(server.url(name));
  await database.script(text);
  await database.close();
  const session = await connect({ database: name, variable: 'CASE_URL', url: server.url(name), role: 'inspect' });
  const { schema } = await readSchema(session, schemas);
  await session.close();
  return schema;
}
