import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { execa } from 'execa';
import { unless } from './binaries.ts';
import { waitUntil } from './wait.ts';

/** The project's folder. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Where the built program is. */
export const program = join(root, 'dist', 'cli.js');

/** Of this checkout alone: several may share one `node_modules`. */
const folder = join(root, 'tmp');
/** Its time is the time of the last build, by whomever. */
const stamp = join(folder, 'built');
/** Holds the process id of whoever builds. */
const lock = join(folder, 'building');

/** Builds `dist` when a source is newer. Type errors do not stop it; `npm run check` is there for them. One process builds at a time. */
export async function buildOnce(): Promise<void> {
  await mkdir(folder, { recursive: true });
  await waitUntil('another build ends', takeLock, { timeoutMs: 120_000, everyMs: 200 });
  try {
    if (!(await isStale())) return;
    await execa(process.execPath, ['scripts/build.mjs'], { cwd: root });
  } finally {
    await rm(lock, { force: true });
  }
}

async function takeLock(): Promise<boolean> {
  const isTaken = await writeFile(lock, String(process.pid), { flag: 'wx' }).then(() => true, unless('EEXIST'));
  if (isTaken === true) return true;
  const holder = Number(await readFile(lock, 'utf8').catch(unless('ENOENT')));
  if (holder > 0 && !isAlive(holder)) await rm(lock, { force: true });
  return false;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}

async function isStale(): Promise<boolean> {
  const built = (await modified(program)) && (await modified(stamp));
  const files = await readdir(join(root, 'src'), { recursive: true });
  const made = ['package.json', 'tsconfig.build.json', 'scripts/build.mjs', ...files.map((file) => join('src', file))];
  const times = await Promise.all(made.map((file) => modified(join(root, file))));
  return times.some((time) => time > built);
}

/** Zero for a file that does not exist. */
async function modified(path: string): Promise<number> {
  return (await stat(path).catch(unless('ENOENT')))?.mtimeMs ?? 0;
}
