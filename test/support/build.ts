import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { execa } from 'execa';
import { unless } from './binaries.ts';
import { waitUntil } from './wait.ts';

/** The project's folder. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Where the built program is. */
export const program = join(root, 'dist', 'cli.js');

/** Its time is the time of the last build. */
const stamp = join(root, 'node_modules', '.sarrio-built');

/** Builds `dist` when a source is newer. Type errors do not stop it; `npm run check` is there for them. One process builds at a time. */
export async function buildOnce(): Promise<void> {
  const lock = join(root, 'node_modules', '.sarrio-build');
  await waitUntil('another build ends', () => mkdir(lock).then(() => true), { timeoutMs: 120_000, everyMs: 200 });
  try {
    if (!(await isStale())) return;
    const { stdout } = await execa('tsc', ['-p', 'tsconfig.build.json'], { cwd: root, reject: false, preferLocal: true });
    if (!(await modified(program))) throw new Error(`the build made no ${program}:\n${stdout}`);
    await execa(process.execPath, ['scripts/copy-assets.mjs'], { cwd: root });
    if (stdout) process.stderr.write(`${stdout}\n`);
    await writeFile(stamp, '');
  } finally {
    await rm(lock, { recursive: true, force: true });
  }
}

async function isStale(): Promise<boolean> {
  const built = (await modified(program)) && (await modified(stamp));
  const files = await readdir(join(root, 'src'), { recursive: true });
  const times = await Promise.all(['package.json', 'tsconfig.build.json', ...files.map((file) => join('src', file))].map((file) => modified(join(root, file))));
  return times.some((time) => time > built);
}

/** Zero for a file that does not exist. */
async function modified(path: string): Promise<number> {
  return (await stat(path).catch(unless('ENOENT')))?.mtimeMs ?? 0;
}
