import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { buildOnce, root } from '../support/build.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { journey, typed } from './journey.ts';
import { nodeOf, type NodeProgram } from './nodes.ts';
import { REPOSITORIES, type Repository, writeRepository } from './repositories.ts';

const USAGE = `npm run try:nodes -- [--nodes 20.19.0,20,22,24,26] [--with npm,pnpm] [--kind WORDS]
  Packs sarrio as npm would publish it, installs it into repositories of every kind, and goes from pull to the first rows under each Node.
  --nodes  versions or ranges; their programs come from npm (some 50 MB each, kept in tmp/nodes)
  --with   package managers; pnpm is fetched with npm
  --kind   only repositories whose kind has these words in it, as in 'JavaScript, CommonJS'
`;

process.exit(await main());

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      nodes: { type: 'string', default: '20.19.0,20,22,24,26' },
      with: { type: 'string', default: 'npm,pnpm' },
      kind: { type: 'string', default: '' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stderr.write(USAGE);
    return 4;
  }
  await buildOnce();
  const nodes: NodeProgram[] = [];
  for (const range of values.nodes.split(',')) nodes.push(await nodeOf(range));
  const folder = await mkdtemp(join(tmpdir(), 'sarrio-nodes-'));
  const server = await startServer({ durable: false });
  try {
    const { stdout } = await execa('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: root });
    const repositories = REPOSITORIES.filter(({ kind }) => kind.includes(values.kind));
    return await tryAll({ folder, server, nodes, repositories, managers: values.with.split(','), tarball: join(folder, stdout.trim()) });
  } finally {
    await server.dispose();
    await rm(folder, { recursive: true, force: true });
  }
}

type Trial = {
  readonly folder: string;
  readonly server: TestServer;
  readonly nodes: readonly NodeProgram[];
  readonly repositories: readonly Repository[];
  readonly managers: readonly string[];
  readonly tarball: string;
};

async function tryAll({ folder, server, nodes, repositories, managers, tarball }: Trial): Promise<number> {
  let [count, failures] = [0, 0];
  for (const manager of managers) {
    const program = await managerOf(manager, folder);
    for (const repository of repositories) {
      const home = await mkdtemp(join(folder, 'repository-'));
      await writeRepository(home, repository);
      await execa(program.command, [...program.install, tarball], { cwd: home, stdin: 'ignore' });
      for (const { node, version } of nodes) {
        count += 1;
        const fault = await tryOne({ home, node, server, name: `n${count}` });
        if (fault !== null) failures += 1;
        process.stdout.write(`${fault === null ? 'works' : 'FAILS'}  Node ${version.padEnd(8)}  ${manager.padEnd(5)} ${repository.kind}\n${fault ?? ''}`);
      }
      const fault = await typed(home, repository).then(() => null, String);
      if (fault !== null) failures += 1;
      process.stdout.write(`${fault === null ? 'works' : 'FAILS'}  tsc            ${manager.padEnd(5)} ${repository.kind}\n${fault ?? ''}`);
      count += 1;
    }
  }
  process.stdout.write(`${count - failures} of ${count} work.\n`);
  return failures === 0 ? 0 : 1;
}

/** The words that call a package manager. */
type Program = { readonly command: string; readonly install: readonly string[] };

async function managerOf(name: string, folder: string): Promise<Program> {
  if (name === 'npm') return { command: 'npm', install: ['install', '--no-audit', '--no-fund'] };
  if (name !== 'pnpm') throw new Error(`there are npm and pnpm, not ${name}`);
  await execa('npm', ['install', '--no-audit', '--no-fund', '--prefix', join(folder, 'manager'), 'pnpm']);
  return { command: join(folder, 'manager', 'node_modules', '.bin', 'pnpm'), install: ['add'] };
}

type One = { readonly home: string; readonly node: string; readonly server: TestServer; readonly name: string };

/** What went wrong, or null. */
async function tryOne({ home, node, server, name }: One): Promise<string | null> {
  const databases = { main: await server.createDatabase(`${name}_main`), copy: await server.createDatabase(`${name}_copy`) };
  try {
    await rm(join(home, 'generated'), { recursive: true, force: true });
    await journey({ folder: home, node, ...databases });
    return null;
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}\n`;
  } finally {
    await Promise.all([databases.main.close(), databases.copy.close()]);
  }
}
