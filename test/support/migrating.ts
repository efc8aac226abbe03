import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { verb as applyVerb } from '../../src/commands/apply.ts';
import { verb as compileVerb } from '../../src/commands/compile.ts';
import { runFollowing } from '../../src/commands/follow-generated.ts';
import { verb as migrateVerb } from '../../src/commands/migrate.ts';
import { verb as pullVerb } from '../../src/commands/pull.ts';
import { verb as statusVerb } from '../../src/commands/status.ts';
import type { Verb } from '../../src/commands/verb.ts';
import { verb as verifyVerb } from '../../src/commands/verify.ts';
import type { SyncConfig } from '../../src/index.ts';
import { systemClock } from '../../src/runner/clock.ts';
import type { RunnerEvent } from '../../src/runner/events.ts';
import { noFailpoint } from '../../src/runner/failpoint.ts';
import { connect } from '../../src/runner/postgres/session.ts';
import { sarrio } from './cli.ts';
import type { TestDatabase } from './database.ts';
import { type Outcome, runVerb } from './run-verb.ts';
import { waitUntil } from './wait.ts';
import type { StreamStatus } from '../../src/runner/8-round/stream-status.ts';

/** A project with its config on disk, applied, and its runner, which takes new plans by itself. */
export type MigratingProject = {
  readonly dir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly events: readonly RunnerEvent[];
  /** Writes the SQL into a file of that name and runs `sarrio migrate` on it. */
  migrate(name: string, sql: string, ...args: readonly string[]): Promise<Outcome>;
  /** The same as a process of its own (`buildOnce` comes first) that is killed at that point. */
  migrateKilled(name: string, sql: string, options: { readonly at: string; readonly args?: readonly string[] }): Promise<void>;
  /** `migrate` in another environment. */
  migrateWith(env: Readonly<Record<string, string>>, name: string, sql: string, ...args: readonly string[]): Promise<Outcome>;
  /** Writes the config anew. */
  reconfigure(change: (config: string) => string): Promise<void>;
  verify(...args: readonly string[]): Promise<Outcome>;
  status(): Promise<Outcome>;
  /** Waits until nothing is pending and no table waits; with what `status` says when that does not come. */
  arrived(): Promise<void>;
  /** Begins a runner; it ends with the test or when told to. */
  run(): { stop(): Promise<void> };
};

export async function migratingProject(
  databases: Readonly<Record<string, TestDatabase>>,
  syncs: Readonly<Record<string, SyncConfig>>,
): Promise<MigratingProject> {
  const dir = await mkdtemp(join(tmpdir(), 'sarrio-migrating-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const variables = Object.fromEntries(Object.keys(databases).map((name) => [name, { env: `${name.toUpperCase()}_URL` }]));
  const env = Object.fromEntries(Object.entries(databases).map(([name, { url }]) => [`${name.toUpperCase()}_URL`, url]));
  await writeFile(join(dir, CONFIG), `export default ${JSON.stringify({ project: 'sarrio', databases: variables, syncs })};\n`);
  const write = (name: string, sql: string): Promise<void> => writeFile(join(dir, name), sql);
  for (const which of [pullVerb, compileVerb, applyVerb]) expect((await runIn(which, dir, env)).exit).toBe('ok');
  const events: RunnerEvent[] = [];
  const migrateWith: MigratingProject['migrateWith'] = async (given, name, sql, ...args) => {
    await write(name, sql);
    return runVerb(migrateVerb, [name, ...args], { cwd: dir, env: { ...given, USER: 'tester' } });
  };
  return {
    dir,
    env,
    events,
    migrate: (name, sql, ...args) => migrateWith(env, name, sql, ...args),
    migrateWith,
    reconfigure: async (change) => write(CONFIG, change(await readFile(join(dir, CONFIG), 'utf8'))),
    migrateKilled: async (name, sql, { at, args = [] }) => {
      await write(name, sql);
      const { exitCode, stderr } = await sarrio(['migrate', name, ...args], { cwd: dir, env: { ...env, USER: 'tester', SARRIO_FAILPOINT: `${at}=kill` } });
      expect({ at, exitCode, stderr: exitCode === KILLED ? '' : stderr }).toEqual({ at, exitCode: KILLED, stderr: '' });
    },
    verify: (...args) => runVerb(verifyVerb, [...args, '--generated', join(dir, 'generated')], { cwd: dir, env }),
    status: () => runVerb(statusVerb, ['--generated', join(dir, 'generated')], { cwd: dir, env }),
    arrived: () =>
      waitUntil('all has arrived', async () => hasArrived(await runVerb(statusVerb, ['--generated', join(dir, 'generated')], { cwd: dir, env }))).then(
        () => undefined,
      ),
    run: () => startRunner(dir, env, events),
  };
}

/** Unverified it may be: what each database computed for itself, nobody has compared yet. */
function hasArrived({ data, text }: Outcome): true {
  const { streams } = data as { readonly streams: readonly Pick<StreamStatus, 'pending' | 'state' | 'stopped'>[] };
  if (streams.every(({ pending, state, stopped }) => pending === 0 && ['running', 'unverified'].includes(state) && stopped.length === 0)) return true;
  throw new Error(text);
}

const CONFIG = 'replication.config.ts';

/** What `sarrio` of the support says of a process that a signal ended. */
const KILLED = -1;

async function runIn(which: Verb, dir: string, env: Readonly<Record<string, string>>): Promise<Outcome> {
  const outcome = await runVerb(which, [], { cwd: dir, env });
  if (outcome.exit !== 'ok') throw new Error(JSON.stringify(outcome.diagnostics));
  return outcome;
}

function startRunner(dir: string, env: Readonly<Record<string, string>>, events: RunnerEvent[]): { stop(): Promise<void> } {
  const stopped = new AbortController();
  const ended = runFollowing({
    dir: join(dir, 'generated'),
    syncs: [],
    optionsFor: ({ plan, files }) => ({
      plan,
      files,
      until: 'stopped',
      clock: systemClock,
      failpoint: noFailpoint,
      signal: stopped.signal,
      log: (event) => void events.push(event),
      connect: (database, role) => connect({ database, role, url: env[plan.databases[database]?.url.env ?? ''] ?? '', variable: 'URL' }),
    }),
  });
  const stop = async (): Promise<void> => {
    stopped.abort();
    await ended;
  };
  onTestFinished(stop);
  return { stop };
}
