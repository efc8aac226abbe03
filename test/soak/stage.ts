import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CliResult, type RunningSarrio, sarrio, startSarrio } from '../support/cli.ts';
import type { TestDatabase } from '../support/database.ts';
import { type FaultyProxy, startProxy } from '../support/proxy.ts';
import { startServer, type TestServer } from '../support/server.ts';

/** A participating database: its server, the network before it, and a straight way in for the writers and the comparison. */
export type Side = { readonly server: TestServer; readonly proxy: FaultyProxy; readonly database: TestDatabase };

/** Servers, and two runners before them, of which one applies and one waits for its end. */
export type Stage<Name extends string = string> = {
  readonly sides: Readonly<Record<Name, Side>>;
  readonly runners: readonly Runner[];
  /** Runs a verb to its end, straight or over the proxies. */
  verb(args: readonly string[]): Promise<CliResult>;
  dispose(): Promise<void>;
};

/** A runner that is started again whenever it has ended. */
export type Runner = {
  readonly current: () => RunningSarrio;
  /** What all of them have written. */
  readonly said: () => string;
  readonly starts: () => number;
  stop(): Promise<void>;
};

/** The schema of each database by its name, and a config in which that database's variable is `NAME_URL`. All of it is copied and has caught up. */
export async function buildStage<Name extends string>(schemas: Readonly<Record<Name, string>>, config: string): Promise<Stage<Name>> {
  const names = Object.keys(schemas) as Name[];
  const made: [Name, Side][] = [];
  for (const name of names) made.push([name, await side(schemas[name])]);
  const sides = Object.fromEntries(made) as Record<Name, Side>;
  const cwd = await mkdtemp(join(tmpdir(), 'sarrio-soak-'));
  await writeFile(join(cwd, 'replication.config.ts'), config);
  const env = Object.fromEntries(made.map(([name, { proxy }]) => [`${name.toUpperCase()}_URL`, proxy.url('soak')]));
  const verb = (args: readonly string[]): Promise<CliResult> => sarrio(args, { cwd, env });
  for (const name of ['pull', 'compile', 'apply']) await succeed(verb, [name]);
  await succeed(verb, ['run', '--until-caught-up']);
  const runners = [keepRunning(cwd, env), keepRunning(cwd, env)];
  return {
    sides,
    runners,
    verb,
    dispose: async () => {
      for (const [, { server, proxy, database }] of made) {
        await database.close();
        await proxy.close();
        await server.dispose();
      }
      await rm(cwd, { recursive: true, force: true });
    },
  };
}

/** A crash of a server leaves temporary tables in the catalog until autovacuum comes by. */
const AUTOVACUUM = ['-c', 'autovacuum_naptime=5s'];

async function side(schema: string): Promise<Side> {
  const server = await startServer({ durable: false, flags: AUTOVACUUM });
  const database = await server.createDatabase('soak');
  await database.script(schema);
  return { server, database, proxy: await startProxy(server.url('soak')) };
}

async function succeed(verb: Stage['verb'], args: readonly string[]): Promise<void> {
  const { exitCode, stdout, stderr } = await verb(args);
  if (exitCode !== 0) throw new Error(`sarrio ${args.join(' ')} ended with ${exitCode}:\n${stderr}${stdout}`);
}

/** Whatever ends it, another takes its place; only `stop` ends that. */
function keepRunning(cwd: string, env: Readonly<Record<string, string>>): Runner {
  const start = (): RunningSarrio => startSarrio(['run'], { cwd, env });
  const state = { isStopped: false, current: start(), earlier: '', starts: 1 };
  const keep = async (): Promise<void> => {
    for (;;) {
      const end = await state.current.ended;
      state.earlier += end.stderr;
      if (state.isStopped) return;
      state.current = start();
      state.starts += 1;
    }
  };
  const keeping = keep();
  return {
    current: () => state.current,
    said: () => state.earlier + state.current.stderr(),
    starts: () => state.starts,
    stop: async () => {
      state.isStopped = true;
      await state.current.stop();
      await keeping;
    },
  };
}
