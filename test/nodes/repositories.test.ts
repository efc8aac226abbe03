import { cp, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { buildOnce, root } from '../support/build.ts';
import { freshDatabase } from '../support/databases.ts';
import { journey, typed } from './journey.ts';
import { repositoryOf, writeRepository } from './repositories.ts';

const DEPENDENCIES = ['ajv', 'jiti', 'ts-morph', 'yaml'];

/** Where the package lies, and where it is found, as npm and as pnpm lay it out. */
const LAYOUTS = {
  npm: { real: 'node_modules/sarrio', found: null },
  pnpm: { real: 'node_modules/.pnpm/sarrio@0.1.0/node_modules/sarrio', found: 'node_modules/sarrio' },
} as const;

beforeAll(buildOnce, 60_000);

/** What the package managers leave of the packed package, without asking a registry. `npm run try:nodes` asks it, and tries other Nodes. */
async function install(folder: string, { real, found }: (typeof LAYOUTS)[keyof typeof LAYOUTS]): Promise<void> {
  await mkdir(join(folder, real), { recursive: true });
  for (const part of ['dist', 'package.json']) await cp(join(root, part), join(folder, real, part), { recursive: true });
  for (const name of DEPENDENCIES) await symlink(join(root, 'node_modules', name), join(dirname(join(folder, real)), name));
  if (found) await symlink(join(folder, real), join(folder, found));
  await mkdir(join(folder, 'node_modules/.bin'));
  await symlink(join(folder, real, 'dist/cli.js'), join(folder, 'node_modules/.bin/sarrio'));
}

test.each([
  ['TypeScript, CommonJS', 'npm'],
  ['JavaScript, CommonJS', 'pnpm'],
] as const)('from pull to the first rows in a repository of %s, installed as by %s', { timeout: 180_000 }, async (kind, layout) => {
  const folder = await mkdtemp(join(tmpdir(), 'sarrio-repository-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const repository = repositoryOf(kind);
  await writeRepository(folder, repository);
  await install(folder, LAYOUTS[layout]);
  const [main, copy] = [await freshDatabase('main'), await freshDatabase('copy')];
  await journey({ folder, node: process.execPath, main, copy });
  await typed(folder, repository);
  expect(await copy.query('select note from notes')).toEqual([{ note: 'first' }]);
});
