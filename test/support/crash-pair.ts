import { expect, onTestFinished } from 'vitest';
import { type RunningSarrio, sarrio, startSarrio } from './cli.ts';
import { differingRows } from './compare.ts';
import type { TestDatabase } from './database.ts';
import { installation, type Installation } from './installation.ts';
import { startServer, type TestServer } from './server.ts';
import { waitUntil } from './wait.ts';
import { ACCOUNTS, COUNTER, TABLES, WORKLOAD } from './workload.ts';

/** Two servers of their own, so that each can be stopped. */
export type Servers = { readonly sourceServer: TestServer; readonly targetServer: TestServer };

/**
 * `lazyLog` keeps the source's log in memory for as long as PostgreSQL allows: a crash then loses commits that were told to their
 * clients, and a round nearly always has to see to it itself that what it read is on disk.
 */
export async function startServers({ lazyLog = false } = {}): Promise<Servers> {
  const sourceServer = await startServer({ durable: false, ...(lazyLog ? { flags: ['-c', 'wal_writer_delay=10s', '-c', 'synchronous_commit=off'] } : {}) });
  return { sourceServer, targetServer: await startServer({ durable: false }) };
}

/** A source and a target on them with the tables of the workload in one sync, and a database that follows one table of the target. */
export type Pair = Servers & { readonly source: TestDatabase; readonly target: TestDatabase; readonly far: TestDatabase; readonly project: Installation };

/** `urls` stands between the runner and its databases, e.g. a proxy; the workload and the comparison go straight. */
export async function crashPair(servers: Servers, name: string, urls: Readonly<Record<string, string>> = {}): Promise<Pair> {
  const { sourceServer, targetServer } = servers;
  const [source, target] = [await sourceServer.createDatabase(name), await targetServer.createDatabase(name)];
  const far = await targetServer.createDatabase(`${name}_far`);
  onTestFinished(async () => {
    for (const database of [source, target, far]) await database.close();
  });
  await source.script(WORKLOAD);
  await target.script(WORKLOAD + COUNTER);
  await far.script(WORKLOAD);
  await source.script(ACCOUNTS);
  const project = await installation({
    databases: { source, target, far },
    syncs: {
      s: { mode: 'one-way', source: 'source', targets: ['target'], tables: TABLES },
      relayed: { mode: 'one-way', source: 'target', targets: ['far'], tables: ['public.items'] },
    },
    urls,
  });
  expect((await project.apply()).diagnostics).toEqual([]);
  return { ...servers, source, target, far, project };
}

/** The runner as a process; a failpoint as `SARRIO_FAILPOINT` has it. */
export function startRunner(project: Installation, failpoint = ''): RunningSarrio {
  return startSarrio(['run', '--generated', project.dir], { env: { ...project.env, SARRIO_FAILPOINT: failpoint } });
}

/** The initial copy is over: every table follows the watermark. Under writers a runner is never told to have caught up. */
export async function expectCopied({ target }: Pair): Promise<void> {
  const joined = 'select count(*)::int as n from sarrio.initial_copy where is_joined';
  await waitUntil('every table is joined', async () => (await target.query(joined))[0]?.['n'] === TABLES.length, { timeoutMs: 180_000, everyMs: 100 });
}

/** Rounds that a runner has told of so far. */
export function roundsOf(running: RunningSarrio): number {
  return running.stderr().split('rows of').length - 1;
}

/** So many more rounds. */
export async function expectRounds(running: RunningSarrio, more = 1): Promise<void> {
  const before = roundsOf(running);
  await waitUntil('rounds go on', () => roundsOf(running) >= before + more, { timeoutMs: 180_000 });
}

/** Every row has arrived. */
export async function expectEqual({ source, target, far, project }: Pair): Promise<void> {
  await withoutRunners([source, target, far]);
  const run = await sarrio(['run', '--sync', 's', '--until-caught-up', '--generated', project.dir], { env: project.env });
  expect(run.stderr).not.toContain('SAR60');
  expect(run.exitCode).toBe(0);
  const relayed = await sarrio(['run', '--until-caught-up', '--generated', project.dir], { env: project.env });
  expect(relayed.exitCode).toBe(0);
  expect(await differingRows(source, target, ...TABLES)).toEqual([]);
  expect(await differingRows(source, far, 'public.items')).toEqual([]);
}

/** Every row has arrived, and every insert was applied exactly once. */
export async function expectCaughtUp(pair: Pair): Promise<void> {
  await expectEqual(pair);
  const counted = await pair.target.query(
    'select (select count(*) from ledger)::int as rows, count(*)::int as applied, count(distinct id)::int as keys from applied',
  );
  expect(counted[0]).toEqual({ rows: counted[0]?.['rows'], applied: counted[0]?.['rows'], keys: counted[0]?.['rows'] });
}

/** A killed runner's backends go on for a moment, and keep its lease for so long. */
async function withoutRunners(databases: readonly TestDatabase[]): Promise<void> {
  const ours = "select from pg_stat_activity where application_name like 'sarrio%' and datname = current_database()";
  for (const database of databases) {
    await waitUntil('no runner is connected', async () => (await database.query(ours)).length === 0, { timeoutMs: 120_000, everyMs: 100 });
  }
}
