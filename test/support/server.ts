import { chown, mkdtemp, open, readFile, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { execa, type Options, type ResultPromise } from 'execa';
import { type Account, fastFolder, serverAccount, temporaryFolder } from './account.ts';
import { type Binaries, binaries, type Major, unless } from './binaries.ts';
import { copyCluster } from './cluster.ts';
import { createDatabase, openDatabase, type TestDatabase } from './database.ts';
import { freePort } from './port.ts';
import { children, isAlive, send, watchOver } from './process.ts';
import { pause, waitUntil } from './wait.ts';

export type ServerOptions = {
  /** 17, or what SARRIO_TEST_MAJOR says. */
  readonly major?: Major;
  /** More flags for `postgres`, such as `['-c', 'work_mem=64MB']`. */
  readonly flags?: readonly string[];
  /** False turns fsync off and keeps the data in memory where there is room: faster, and as safe against a killed server, not against a killed machine. */
  readonly durable?: boolean;
  readonly walLevel?: 'minimal' | 'replica' | 'logical';
  /** Fills the data directory with something other than a new cluster: a backup, a standby. */
  readonly fill?: (directory: string, account: Account) => Promise<void>;
};

export type TestServer = {
  readonly port: number;
  readonly major: Major;
  readonly dataDirectory: string;
  /** Connection string; everybody is trusted, so a password in it does no harm. */
  url(database: string): string;
  createDatabase(name?: string): Promise<TestDatabase>;
  /** `immediate` is a crash that the server's processes notice: no checkpoint, buffered WAL is lost. */
  stop(mode?: 'fast' | 'immediate'): Promise<void>;
  /** SIGKILL to every process of the server at once. */
  kill(): Promise<void>;
  /** Again on the same data directory and port. */
  start(): Promise<void>;
  isRunning(): boolean;
  /** Stops it and removes its data. */
  dispose(): Promise<void>;
};

/** In an object, because the process is also a promise of its end, which a function that returns it would wait for. */
type Postmaster = { readonly child: ResultPromise };

type Home = { readonly programs: Binaries; readonly account: Account; readonly directory: string; readonly port: number };

/** A new cluster of its own, running. It dies with this process, whatever kills it. */
export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  const major = options.major ?? defaultMajor();
  const account = await serverAccount();
  const programs = await binaries(major, account);
  const folder = options.durable === false ? await fastFolder(account) : await temporaryFolder(account);
  const directory = await mkdtemp(join(folder, 'sarrio-server-'));
  if (account) await chown(directory, account.uid, account.gid);
  const release = watchOver(directory);
  const home = { programs, account, directory, port: await freePort() };
  if (options.fill) await options.fill(directory, account);
  else await copyCluster({ programs, account, directory });
  const server = controls(home, serverFlags(options), release);
  await server.start();
  return { ...server, major };
}

/** The major version that tests run on unless they choose one. */
export function defaultMajor(): Major {
  const text = process.env.SARRIO_TEST_MAJOR ?? '17';
  const major = ([13, 14, 15, 16, 17, 18] as const).find((known) => String(known) === text);
  if (!major) throw new Error(`SARRIO_TEST_MAJOR is ${text}; there are servers for 13 to 18`);
  return major;
}

function serverFlags(options: ServerOptions): readonly string[] {
  const { durable = true, walLevel = 'replica', flags = [] } = options;
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '200',
    max_prepared_transactions: '20',
    shared_buffers: '256MB',
    max_wal_size: durable ? '4GB' : '512MB',
    wal_level: walLevel,
    ...(walLevel === 'minimal' ? { max_wal_senders: '0' } : {}),
    ...(durable ? {} : { fsync: 'off', full_page_writes: 'off' }),
  };
  return [...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]), ...flags];
}

function controls(home: Home, flags: readonly string[], release: () => Promise<void>): Omit<TestServer, 'major'> {
  let server: Postmaster | null = null;
  const url = (database: string): string => `postgres://postgres@127.0.0.1:${home.port}/${encodeURIComponent(database)}`;
  const leave = async (signal: 'SIGINT' | 'SIGQUIT' | 'SIGKILL'): Promise<void> => {
    const pid = server?.child.pid;
    if (!server || !pid) return;
    const family = signal === 'SIGKILL' ? [pid, ...(await children(pid))] : [pid];
    for (const member of family) send(member, signal);
    await server.child;
    server = null;
    await waitUntil('the server is gone', async () => !(await Promise.all(family.map(isAlive))).includes(true));
  };
  const stop = (mode: 'fast' | 'immediate' = 'fast'): Promise<void> => leave(mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
  return {
    port: home.port,
    dataDirectory: home.directory,
    url,
    createDatabase: async (name = 'test') => {
      await createDatabase(url('postgres'), name);
      return openDatabase(url(name));
    },
    stop,
    kill: () => leave('SIGKILL'),
    start: async () => {
      if (!server) server = await launch(home, flags);
    },
    isRunning: () => server !== null && !hasEnded(server),
    dispose: async () => {
      await stop('immediate');
      await release();
      await rm(home.directory, { recursive: true, force: true });
    },
  };
}

/** Starts the postmaster and waits until it accepts connections. */
async function launch(home: Home, flags: readonly string[]): Promise<Postmaster> {
  for (let attempt = 1; ; attempt++) {
    const server = await spawn(home, flags);
    await waitUntil('the server accepts connections', async () => hasEnded(server) || (await isReady(home, server)), { timeoutMs: 60_000 });
    if (!hasEnded(server)) return server;
    const log = await readFile(logFile(home), 'utf8');
    if (attempt === 50 || !IN_USE.test(log)) throw new Error(`the server on port ${home.port} did not start:\n${log.slice(-4_000)}`);
    await truncate(logFile(home));
    await pause(100);
  }
}

/** What a killed server's last process may still hold for a moment. */
const IN_USE = /shared memory block .* is still in use|lock file "postmaster.pid" already exists/;

async function spawn(home: Home, flags: readonly string[]): Promise<Postmaster> {
  const log = await open(logFile(home), 'a');
  // A file descriptor works here; the type of `stdio` knows numbers only further back.
  const stdio = ['ignore', log.fd, log.fd] as unknown as NonNullable<Options['stdio']>;
  const options: Options = {
    stdio,
    reject: false,
    cleanup: false,
    detached: true,
    buffer: false,
    env: { LC_ALL: 'C', TZ: 'UTC' },
    ...(home.account ?? {}),
  };
  const child = execa(home.programs.postgres, ['-D', home.directory, '-p', String(home.port), ...flags], options);
  await log.close();
  return { child };
}

function hasEnded({ child }: Postmaster): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** The last line of `postmaster.pid` says so, and its first line whose file it is: a killed server leaves one behind. */
async function isReady(home: Home, { child }: Postmaster): Promise<boolean> {
  const file = await readFile(join(home.directory, 'postmaster.pid'), 'utf8').catch(unless('ENOENT'));
  const lines = file?.split('\n') ?? [];
  return lines[0] === String(child.pid) && lines[7]?.trim() === 'ready';
}

function logFile(home: Home): string {
  return join(home.directory, 'server.log');
}
