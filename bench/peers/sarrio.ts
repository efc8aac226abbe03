import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CliOptions, sarrio as runSarrio, startSarrio } from '../../test/support/cli.ts';
import { peakMb } from '../harness/memory.ts';
import type { Databases, Follower, Peer } from '../harness/peer.ts';

const CONFIG = `import { defineReplication, env } from 'sarrio';

export default defineReplication({
  databases: { source: env('SOURCE_URL'), target: env('TARGET_URL') },
  syncs: { bench: { mode: 'one-way', source: 'source', targets: ['target'], tables: ['public.*'], existingRows: 'replace' } },
});
`;

/** Both databases are masters; their rows are the same when it begins. */
const masterConfig = (onConflict: string): string => `import { defineReplication, env } from 'sarrio';

export default defineReplication({
  databases: { source: env('SOURCE_URL'), target: env('TARGET_URL') },
  syncs: {
    bench: { mode: 'multi-master', members: ['source', 'target'], tables: ['public.*'], existingRows: 'keep', onConflict: ${onConflict} },
  },
});
`;

/** The real program: pull, compile and apply before the measurement, `sarrio run` within it. */
export const sarrio: Peer = programWith(CONFIG);
export const masters: Peer = programWith(masterConfig("'last-update-wins'"));
/** A function decides: the larger value, the rest of the row from the later one. */
export const mastersWithHandler: Peer = programWith(
  masterConfig("(conflict) => merge({ a: Math.max(...conflict.versions.map(({ row }) => Number(row?.['a'] ?? 0))) })").replace(
    '{ defineReplication, env }',
    '{ defineReplication, env, merge }',
  ),
);

/** The same, put behind a command: all of the program runs there. */
export function sarrioWithin(within: readonly string[]): Peer {
  return programWith(CONFIG, within);
}

function programWith(config: string, within: readonly string[] = []): Peer {
  return {
    name: 'sarrio',
    missing: async () => null,
    follow: async (databases) => {
      const project = await install(databases, config, within);
      await succeed(['run', '--until-caught-up'], project);
      const follower = start(project);
      await follower.isRunning();
      return follower;
    },
    prepareCopy: async (databases) => {
      const project = await install(databases, config, within);
      return async () => start(project);
    },
  };
}

/** Equal rows on both sides; the returned function runs `sarrio verify`, which fails when it does not find them so. */
export async function prepareVerify(databases: Databases): Promise<() => Promise<void>> {
  const project = await install(databases);
  await succeed(['run', '--until-caught-up'], project);
  return () => succeed(['verify'], project);
}

/** A full copy, applied; the returned function runs the program for one copy. */
export async function prepareFullCopy(databases: Databases, method: string): Promise<() => Promise<void>> {
  const sync = `{ mode: 'full-copy', source: 'source', targets: ['target'], tables: ['public.wide'], method: '${method}' }`;
  const project = await install(databases, CONFIG.replace(/bench: \{.*\}(?= \},)/, `bench: ${sync}`));
  return () => succeed(['run', '--once'], project);
}

type Project = CliOptions & { readonly cwd: string };

async function install({ source, target }: Databases, config = CONFIG, within: readonly string[] = []): Promise<Project> {
  const cwd = await mkdtemp(join(tmpdir(), 'sarrio-bench-'));
  const project = { cwd, within, env: { SOURCE_URL: source.url, TARGET_URL: target.url } };
  await writeFile(join(cwd, 'replication.config.ts'), config);
  for (const verb of ['pull', 'compile', 'apply']) await succeed([verb], project);
  return project;
}

function start(project: Project): Follower {
  let runner = startSarrio(['run'], project);
  return {
    isRunning: () => runner.waitFor(/: running/),
    peakMb: () => peakMb(runner.pid),
    pid: () => runner.pid,
    pause: async () => void (await runner.stop()),
    resume: async () => {
      runner = startSarrio(['run'], project);
    },
    stop: async () => {
      await runner.stop();
      await rm(project.cwd, { recursive: true, force: true });
    },
  };
}

async function succeed(args: readonly string[], project: Project): Promise<void> {
  const { exitCode, stdout, stderr } = await runSarrio(args, project);
  if (exitCode !== 0) throw new Error(`sarrio ${args.join(' ')} ended with ${exitCode}:\n${stderr}${stdout}`);
}
