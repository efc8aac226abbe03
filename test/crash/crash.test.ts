import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { buildOnce, root } from '../support/build.ts';
import { type RunningSarrio, sarrio, startSarrio } from '../support/cli.ts';
import { differingRows } from '../support/compare.ts';
import type { TestDatabase } from '../support/database.ts';
import { installation, type Installation } from '../support/installation.ts';
import { send } from '../support/process.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { waitUntil } from '../support/wait.ts';
import { ACCOUNTS, COUNTER, MONEY, startWorkload, TABLES, WORKLOAD } from '../support/workload.ts';

/** Where a round, a copy or a purge can be cut. The list must name every failpoint of the runner: the first test compares. */
const ROUND_POINTS = [
  'round.source.before-snapshot',
  'round.source.after-snapshot',
  'round.target.before-begin',
  'round.target.after-fence',
  'round.target.before-clear',
  'round.target.before-load',
  'round.target.before-stage',
  'round.target.before-copy',
  'round.target.before-merge',
  'round.target.before-watermark',
  'round.target.after-rows',
  'round.target.before-commit',
  'round.target.commit-sent',
  'round.target.after-commit',
  'purge.before-truncate',
  'purge.before-commit',
] as const;
/** Reached only when the source's log is not on disk by itself in time, which no workload can force. */
const RARE_POINTS = ['round.source.before-flush', 'round.source.after-flush'] as const;
const COPY_POINTS = ['copy.before-load', 'copy.before-commit', 'copy.commit-sent'] as const;

type Stage = { readonly sourceServer: TestServer; readonly targetServer: TestServer };
const stage: { current: Stage | null; pairs: number } = { current: null, pairs: 0 };

beforeAll(async () => {
  await buildOnce();
  const [sourceServer, targetServer] = [await startServer(), await startServer()];
  stage.current = { sourceServer, targetServer };
});

afterAll(async () => {
  await stage.current?.sourceServer.dispose();
  await stage.current?.targetServer.dispose();
});

type Pair = Stage & { readonly source: TestDatabase; readonly target: TestDatabase; readonly project: Installation };

async function pair(): Promise<Pair> {
  const { current } = stage;
  if (!current) throw new Error('no servers');
  stage.pairs += 1;
  const name = `crash_${stage.pairs}`;
  const [source, target] = [await current.sourceServer.createDatabase(name), await current.targetServer.createDatabase(name)];
  await source.script(WORKLOAD);
  await target.script(WORKLOAD + COUNTER);
  await source.script(ACCOUNTS);
  const project = await installation({
    databases: { source, target },
    syncs: { s: { mode: 'one-way', source: 'source', targets: ['target'], tables: TABLES } },
  });
  expect((await project.apply()).diagnostics).toEqual([]);
  onTestFinished(async () => {
    await source.close();
    await target.close();
  });
  return { ...current, source, target, project };
}

function start(project: Installation, failpoint = ''): RunningSarrio {
  return startSarrio(['run', '--generated', project.dir], { env: { ...project.env, SARRIO_FAILPOINT: failpoint } });
}

async function expectCaughtUp({ source, target, project }: Pair): Promise<void> {
  const run = await sarrio(['run', '--until-caught-up', '--generated', project.dir], { env: project.env });
  expect(run.stderr).not.toContain('SAR6');
  expect(run.exitCode).toBe(0);
  expect(await differingRows(source, target, ...TABLES)).toEqual([]);
  const counted = await target.query(
    'select (select count(*) from ledger)::int as rows, count(*)::int as applied, count(distinct id)::int as keys from applied',
  );
  expect(counted[0]).toEqual({ rows: counted[0]?.['rows'], applied: counted[0]?.['rows'], keys: counted[0]?.['rows'] });
}

test('the lists above name every failpoint of the runner', async () => {
  const { stdout } = await execa('grep', ['-rhoE', "failpoint\\('[a-z.-]+'\\)", 'src/runner/8-round'], { cwd: root });
  const found = new Set([...stdout.matchAll(/'([^']+)'/g)].map((match) => match[1]));
  expect([...found].sort()).toEqual([...ROUND_POINTS, ...RARE_POINTS, ...COPY_POINTS].sort());
});

describe('while writers write', () => {
  test('a runner killed at any point of a round or a purge loses and doubles nothing', { timeout: 400_000 }, async () => {
    const all = await pair();
    const workload = startWorkload(all.source);
    const first = start(all.project);
    await first.waitFor(/: running/);
    await first.kill();
    const sums = new Set<number>();
    for (const point of ROUND_POINTS) {
      if (point.startsWith('purge.')) await leaveSegments(all.source);
      const running = start(all.project, `${point}=kill`);
      await waitUntil(`the runner is killed at ${point}`, () => Promise.race([running.ended.then(() => true), sample(all.target, sums)]), {
        timeoutMs: 40_000,
        everyMs: 50,
      });
      await running.ended;
    }
    await workload.stop();
    expect([...sums]).toEqual([MONEY]);
    await expectCaughtUp(all);
  });

  test.each(['source', 'target'] as const)('a %s server that stops in the middle of a commit loses and doubles nothing', { timeout: 300_000 }, async (side) => {
    const all = await pair();
    const workload = startWorkload(all.source);
    for (const point of ['round.source.after-snapshot', 'round.target.after-rows', 'round.target.before-commit', 'round.target.commit-sent']) {
      const running = start(all.project, `${point}:3=pause`);
      await running.waitFor(new RegExp(`failpoint ${point}`));
      const server = side === 'source' ? all.sourceServer : all.targetServer;
      await server.stop('immediate');
      send(running.pid, 'SIGUSR2');
      await server.start();
      const rounds = running.stderr().split('rows of').length;
      await waitUntil('rounds go on', () => running.stderr().split('rows of').length > rounds, { timeoutMs: 60_000 });
      await running.stop();
    }
    await workload.stop();
    await expectCaughtUp(all);
  });

  test('terminated backends at the commit, again and again', { timeout: 300_000 }, async () => {
    const all = await pair();
    const workload = startWorkload(all.source);
    const running = start(all.project, 'round.target.commit-sent:2=pause');
    await running.waitFor(/failpoint round.target.commit-sent/);
    const terminate = "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'sarrio%'";
    await all.target.query(terminate);
    send(running.pid, 'SIGUSR2');
    for (let turn = 0; turn < 5; turn += 1) {
      const rounds = running.stderr().split('rows of').length;
      await waitUntil('rounds go on', () => running.stderr().split('rows of').length > rounds, { timeoutMs: 60_000 });
      await (turn % 2 === 0 ? all.source : all.target).query(terminate);
    }
    await running.stop();
    await workload.stop();
    await expectCaughtUp(all);
  });

  test('two runners: one applies, the other takes over', { timeout: 180_000 }, async () => {
    const all = await pair();
    const workload = startWorkload(all.source);
    const first = start(all.project);
    await first.waitFor(/: running/);
    const second = start(all.project);
    await second.waitFor(/standby/);
    await first.kill();
    await second.waitFor(/rows of/);
    await workload.stop();
    const { exitCode } = await second.stop();
    expect(exitCode).toBe(0);
    await expectCaughtUp(all);
  });
});

test.each(COPY_POINTS)('a copy killed at %s leaves nothing half done', async (point) => {
  const all = await pair();
  const workload = startWorkload(all.source);
  const running = start(all.project, `${point}=kill`);
  await running.ended;
  await workload.stop();
  await expectCaughtUp(all);
});

test('SIGTERM ends a runner within two seconds, in the middle of a round too', async () => {
  const all = await pair();
  const running = start(all.project);
  await running.waitFor(/caught up/);
  await all.source.query('insert into items select g, 0 from generate_series(100000, 600000) g');
  await waitUntil(
    'a round is under way',
    async () => (await all.target.query("select from pg_stat_activity where query like 'copy%' or query like 'COPY%'")).length > 0,
  );
  const asked = performance.now();
  const { exitCode } = await running.stop();
  expect(exitCode).toBe(0);
  expect(performance.now() - asked).toBeLessThan(2_500);
  await expectCaughtUp(all);
});

test('status and output tell the state and never a password', async () => {
  const { project } = await pair();
  const env = Object.fromEntries(Object.entries(project.env).map(([name, url]) => [name, url.replace('postgres@', 'postgres:canary-4711@')]));
  const running = startSarrio(['run', '--log', 'json', '--generated', project.dir], { env });
  await running.waitFor(/"kind":"caught-up"/);
  const said: string[] = [];
  await waitUntil('status says so', async () => {
    const answer = await sarrio(['status', '--json', '--generated', project.dir], { env });
    said.push(answer.stdout, answer.stderr);
    const { data } = JSON.parse(answer.stdout) as { data: { streams: readonly { state: string; pending: number }[] } };
    return data.streams[0]?.state === 'running' && data.streams[0].pending === 0;
  });
  const { stdout, stderr } = await running.stop();
  for (const line of stdout.trim().split('\n')) expect(JSON.parse(line)).toHaveProperty('kind');
  const down = await sarrio(['run', '--once', '--generated', project.dir], { env: { ...env, TARGET_URL: 'postgres://u:canary-4711@127.0.0.1:1/x' } });
  expect(down.exitCode).toBe(1);
  expect(stdout + stderr + said.join() + down.stdout + down.stderr).not.toContain('canary-4711');
});

/** The next segments are written from now on, as after a switch, so that there is something to purge. */
async function leaveSegments(source: TestDatabase): Promise<void> {
  for (const table of TABLES) {
    const current = `sarrio.current_${table.replace('.', '_')}`;
    await source.query(`select setval('${current}', coalesce(pg_sequence_last_value('${current}'), 1) % 3 + 1)`);
  }
}

/** No reader of the target may ever see half a transfer. Never true, so that it can stand in a wait. */
async function sample(target: TestDatabase, sums: Set<number>): Promise<false> {
  const [row] = await target.query('select coalesce(sum(balance), 0)::int as sum from accounts');
  sums.add(Number(row?.['sum']));
  return false;
}
