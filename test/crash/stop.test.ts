import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildOnce } from '../support/build.ts';
import { sarrio, startSarrio } from '../support/cli.ts';
import { crashPair, expectCaughtUp, type Pair, type Servers, startRunner, startServers } from '../support/crash-pair.ts';
import { waitUntil } from '../support/wait.ts';
import { startWorkload } from '../support/workload.ts';

const stage: { servers: Servers | null; pairs: number } = { servers: null, pairs: 0 };

beforeAll(async () => {
  await buildOnce();
  stage.servers = await startServers();
}, 180_000);

afterAll(async () => {
  await stage.servers?.sourceServer.dispose();
  await stage.servers?.targetServer.dispose();
});

async function pair(): Promise<Pair> {
  if (!stage.servers) throw new Error('no servers');
  stage.pairs += 1;
  return crashPair(stage.servers, `stop_${stage.pairs}`);
}

test('two runners: one applies, the other takes over', { timeout: 180_000 }, async () => {
  const all = await pair();
  const workload = startWorkload(all.source);
  const first = startRunner(all.project);
  await first.waitFor(/s: source -> target: running/);
  const second = startRunner(all.project);
  await second.waitFor(/standby/);
  await first.kill();
  await second.waitFor(/rows of/);
  await workload.stop();
  const { exitCode } = await second.stop();
  expect(exitCode).toBe(0);
  await expectCaughtUp(all);
});

test('SIGTERM ends a runner within two seconds, in the middle of a round too', async () => {
  const all = await pair();
  const running = startRunner(all.project);
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
