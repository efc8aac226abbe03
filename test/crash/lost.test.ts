import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildOnce } from '../support/build.ts';
import { type RunningSarrio, sarrio } from '../support/cli.ts';
import {
  crashPair,
  expectCaughtUp,
  expectCopied,
  expectEqual,
  expectRounds,
  type Pair,
  type Servers,
  startRunner,
  startServers,
} from '../support/crash-pair.ts';
import { send } from '../support/process.ts';
import { startSampler } from '../support/sampler.ts';
import { share, turn } from '../support/share.ts';
import { startWorkload } from '../support/workload.ts';
import { COPY_POINTS, lureTo, ROUND_POINTS } from './points.ts';

const PATIENCE_MS = 120_000;

const POINTS = { round: share(ROUND_POINTS), copy: share(COPY_POINTS, 2) };

const stage: { servers: Servers | null } = { servers: null };

beforeAll(async () => {
  await buildOnce();
  stage.servers = await startServers({ lazyLog: true });
}, 180_000);

afterAll(async () => {
  await stage.servers?.sourceServer.dispose();
  await stage.servers?.targetServer.dispose();
});

function pairNamed(name: string): Promise<Pair> {
  if (!stage.servers) throw new Error('no servers');
  return crashPair(stage.servers, name);
}

/** What is lost while the runner stands at a point. */
type Loss = (pair: Pair) => Promise<void>;

const backends: Loss = async ({ source, target }) => {
  const terminate = "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'sarrio%' and datname = current_database()";
  await source.query(terminate);
  await target.query(terminate);
};

const server =
  (side: 'sourceServer' | 'targetServer'): Loss =>
  async (pair) => {
    await pair[side].stop('immediate');
    await pair[side].start();
  };

const LOSSES: readonly Loss[] = [backends, server('sourceServer'), server('targetServer')];

/** One at each point, and another one in the next turn: all of them at every point take long. */
function lossAt(index: number): Loss {
  return LOSSES[(index + (turn === 'all' ? 0 : turn)) % LOSSES.length] ?? backends;
}

async function loseAt(pair: Pair, point: string, loss: Loss): Promise<RunningSarrio> {
  await lureTo(point, pair.source);
  const running = startRunner(pair.project, `${point}=pause`);
  await loseNext(running, pair, { point, loss });
  return running;
}

async function loseNext(running: RunningSarrio, pair: Pair, { point, loss }: { point: string; loss: Loss }): Promise<void> {
  await running.waitFor(new RegExp(`failpoint ${point}$`), PATIENCE_MS);
  await loss(pair);
  send(running.pid, 'SIGUSR2');
}

/** One runner loses something at one point after the other: that it comes to the next shows that it went on. */
test('backends or a server lost at any point of a round, a purge or an acknowledgement: the runner goes on by itself', { timeout: 1_800_000 }, async () => {
  const pair = await pairNamed('lost');
  const workload = startWorkload(pair.source);
  const first = startRunner(pair.project);
  await expectCopied(pair);
  await first.stop();
  const sampler = startSampler(pair.target);
  const running = startRunner(pair.project, POINTS.round.map((point) => `${point}=pause`).join(','));
  for (const [index, point] of POINTS.round.entries()) {
    await lureTo(point, pair.source);
    await loseNext(running, pair, { point, loss: lossAt(index) });
  }
  await expectRounds(running);
  await running.stop();
  await workload.stop();
  expect(await sampler.stop()).toEqual([]);
  await expectCaughtUp(pair);
});

test('backends or a server lost at any point of a copy: it is made again', { timeout: 900_000 }, async () => {
  const pair = await pairNamed('lost_copy');
  const workload = startWorkload(pair.source);
  for (const [index, point] of POINTS.copy.entries()) {
    const running = await loseAt(pair, point, lossAt(index));
    await expectCopied(pair);
    await running.stop();
    const again = await sarrio(['copy', '--sync', 's', '--target', 'target', '--replace', '--generated', pair.project.dir], { env: pair.project.env });
    expect(again.exitCode).toBe(0);
  }
  await workload.stop();
  await expectEqual(pair);
});
