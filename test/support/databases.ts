import { randomBytes } from 'node:crypto';
import { inject, onTestFinished } from 'vitest';
import { makeDatabase, openDatabase, removeDatabase, type TestDatabase, withDatabase } from './database.ts';
import { waitUntil } from './wait.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Any database of the server that the tests share. */
    serverUrl: string;
  }
}

/** A new, empty database of the shared server for one test; dropped after it. A connection that the test leaves open fails it. */
export async function freshDatabase(prefix = 'test'): Promise<TestDatabase> {
  const database = await newDatabase(prefix);
  onTestFinished(() => discard(database));
  return database;
}

/** As `freshDatabase`, for `beforeAll`: return `() => discard(database)` from the hook. */
export async function newDatabase(prefix: string, template?: string): Promise<TestDatabase> {
  const name = `${prefix}_${randomBytes(5).toString('hex')}`;
  await makeDatabase(server(), name, template);
  return openDatabase(withDatabase(inject('serverUrl'), name));
}

/** By which this worker makes and drops databases, in one file after the other. */
const stage: { server: TestDatabase | null } = { server: null };

function server(): TestDatabase {
  stage.server ??= openDatabase(inject('serverUrl'));
  return stage.server;
}

/** Drops the database and fails when anybody is still connected to it. */
export async function discard(database: TestDatabase): Promise<void> {
  await database.close();
  const leaks = await leakedConnections(database.name);
  await removeDatabase(server(), database.name);
  if (leaks.length > 0) throw new Error(`connections left open to ${database.name}: ${leaks.join('; ')}`);
}

/** Backends end a moment after their clients, so they are given time: fifteen seconds when two cores have a lot to do. */
async function leakedConnections(name: string): Promise<readonly string[]> {
  const find = `select concat_ws(' ', application_name, state, query) as who from pg_stat_activity
    where datname = $1 and backend_type = 'client backend'`;
  let leaks: readonly string[] = [];
  const areGone = async (): Promise<boolean> => {
    leaks = (await server().query<{ who: string }>(find, [name])).map((row) => row.who);
    return leaks.length === 0;
  };
  await waitUntil('all connections are closed', areGone, { timeoutMs: 15_000 }).catch(() => leaks);
  return leaks;
}
