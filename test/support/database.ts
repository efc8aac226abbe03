import { readFile } from 'node:fs/promises';
import { Client, type ClientBase, Pool, type QueryResultRow } from 'pg';

export type TestDatabase = {
  readonly name: string;
  readonly url: string;
  /** One statement on any connection of a small pool; values parsed as `pg` does by default. */
  query<R extends QueryResultRow = QueryResultRow>(text: string, values?: readonly unknown[]): Promise<R[]>;
  /** Several statements in one text, over one connection: one transaction unless the text says otherwise. Nothing of the session is left behind. */
  script(text: string): Promise<void>;
  /** A session of the pool for some statements; whatever they set is forgotten afterwards. */
  lease<T>(work: (client: ClientBase) => Promise<T>): Promise<T>;
  /** A connection of its own, for sessions that must hold a transaction open. End it in the test. */
  connect(): Promise<Client>;
  /** Ends the pool. The database stays. */
  close(): Promise<void>;
};

/** A database by its connection string. Connecting waits for the first query. */
export function openDatabase(url: string): TestDatabase {
  const pool = new Pool({ connectionString: url, max: 8, application_name: 'test', idleTimeoutMillis: 2_000, allowExitOnIdle: true });
  pool.on('error', ignoreIdleLoss);
  pool.on('connect', (client) => void client.on('error', ignoreIdleLoss));
  return {
    name: databaseName(url),
    url,
    query: async <R extends QueryResultRow>(text: string, values?: readonly unknown[]) => (await pool.query<R>(text, values ? [...values] : undefined)).rows,
    script: (text) => lease(pool, (client) => client.query(text)).then(() => undefined),
    lease: (work) => lease(pool, work),
    connect: () => connectTo(url),
    close: () => (pool.ended ? Promise.resolve() : pool.end()),
  };
}

/** Runs a file of statements, as `psql -f` would with `--single-transaction`. */
export async function runSqlFile(database: TestDatabase, file: string): Promise<void> {
  await database.script(await readFile(file, 'utf8'));
}

/** Connects for it alone; `url` is any database of the server. */
export function createDatabase(url: string, name: string): Promise<void> {
  return connected(url, (server) => makeDatabase(server, name));
}

export function dropDatabase(url: string, name: string): Promise<void> {
  return connected(url, (server) => removeDatabase(server, name));
}

async function connected(url: string, work: (server: TestDatabase) => Promise<void>): Promise<void> {
  const server = openDatabase(url);
  await work(server).finally(server.close);
}

/** By any database of the server. A template is copied, file by file, which costs half of what its log would; nobody may be connected to it. */
export async function makeDatabase(server: TestDatabase, name: string, template = 'template1'): Promise<void> {
  const [found] = await server.query<{ strategy: string }>(
    "select case when current_setting('server_version_num')::int >= 150000 then ' strategy file_copy' else '' end as strategy",
  );
  await server.query(`create database ${quoted(name)} template ${quoted(template)}${found?.strategy ?? ''}`);
}

/** Ends whatever is still connected. */
export async function removeDatabase(server: TestDatabase, name: string): Promise<void> {
  await server.query(`drop database if exists ${quoted(name)} with (force)`);
}

/** The same server and user, another database. */
export function withDatabase(url: string, name: string): string {
  const other = new URL(url);
  other.pathname = `/${encodeURIComponent(name)}`;
  return other.href;
}

export function databaseName(url: string): string {
  return decodeURIComponent(new URL(url).pathname.slice(1));
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A session costs the server more than most of what tests ask it, so it is used again, as good as new; one that cannot be made so is given up. */
async function lease<T>(pool: Pool, work: (client: ClientBase) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    const result = await work(client);
    const isClean = await client.query('discard all').then(Boolean, () => false);
    client.release(!isClean);
    return result;
  } catch (error) {
    client.release(true);
    throw error;
  }
}

async function connectTo(url: string): Promise<Client> {
  const client = new Client({ connectionString: url, application_name: 'test' });
  client.on('error', ignoreIdleLoss);
  await client.connect();
  return client;
}

/** Tests stop servers under idle connections; the next query reports it where it matters. */
function ignoreIdleLoss(): null {
  return null;
}
