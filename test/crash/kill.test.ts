import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildOnce, root } from '../support/build.ts';
import { sarrio } from '../support/cli.ts';
import { crashPair, expectCaughtUp, expectCopied, expectEqual, type Servers, startRunner, startServers } from '../support/crash-pair.ts';
import { startSampler } from '../support/sampler.ts';
import { share } from '../support/share.ts';
import { waitUntil } from '../support/wait.ts';
import { startWorkload } from '../support/workload.ts';
import {
  ADOPTION_POINTS,
  AT_ONCE_POINTS,
  COPY_POINTS,
  FULL_COPY_POINTS,
  GUARD_POINTS,
  INDEX_POINTS,
  lureTo,
  MASTER_POINTS,
  RANGE_POINTS,
  SEED_POINTS,
  ROUND_POINTS,
} from './points.ts';

const stage: { servers: Servers | null } = { servers: null };

beforeAll(async () => {
  await buildOnce();
  stage.servers = await startServers({ lazyLog: true });
}, 180_000);

afterAll(async () => {
  await stage.servers?.sourceServer.dispose();
  await stage.servers?.targetServer.dispose();
});

function servers(): Servers {
  if (!stage.servers) throw new Error('no servers');
  return stage.servers;
}

test('the lists of points name every failpoint of the runner', async () => {
  const { stdout } = await execa('grep', ['-rhoE', "failpoint\\('[a-z.-]+'\\)", 'src/runner/8-round'], { cwd: root });
  const found = new Set([...stdout.matchAll(/'([^']+)'/g)].map((match) => match[1]));
  expect([...found].sort()).toEqual(
    [
      ...ROUND_POINTS,
      ...COPY_POINTS,
      ...RANGE_POINTS,
      ...SEED_POINTS,
      ...ADOPTION_POINTS,
      ...INDEX_POINTS,
      ...GUARD_POINTS,
      ...MASTER_POINTS,
      ...AT_ONCE_POINTS,
      ...FULL_COPY_POINTS,
    ].sort(),
  );
});

test('a runner killed at any point of a round, a purge or an acknowledgement loses and doubles nothing', { timeout: 900_000 }, async () => {
  const pair = await crashPair(servers(), 'kill');
  const workload = startWorkload(pair.source);
  const first = startRunner(pair.project);
  await expectCopied(pair);
  await first.kill();
  const sampler = startSampler(pair.target);
  for (const point of share(ROUND_POINTS)) {
    await lureTo(point, pair.source);
    const running = startRunner(pair.project, `${point}=kill`);
    await waitUntil(`the runner is killed at ${point}`, () => running.ended.then(() => true), { timeoutMs: 120_000 });
  }
  await workload.stop();
  expect(await sampler.stop()).toEqual([]);
  await expectCaughtUp(pair);
});

test('a copy killed at any point leaves nothing half done', { timeout: 600_000 }, async () => {
  const pair = await crashPair(servers(), 'kill_copy');
  const workload = startWorkload(pair.source);
  for (const point of share(COPY_POINTS, 2)) {
    const running = startRunner(pair.project, `${point}=kill`);
    await waitUntil(`the runner is killed at ${point}`, () => running.ended.then(() => true), { timeoutMs: 120_000 });
    const again = await sarrio(['copy', '--sync', 's', '--target', 'target', '--replace', '--generated', pair.project.dir], { env: pair.project.env });
    expect(again.exitCode).toBe(0);
  }
  const last = startRunner(pair.project);
  await expectCopied(pair);
  await last.stop();
  await workload.stop();
  await expectEqual(pair);
});
