import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { buildOnce } from '../support/build.ts';
import { crashPair, expectCaughtUp, expectCopied, expectRounds, type Pair, type Servers, startRunner, startServers } from '../support/crash-pair.ts';
import { type CutRule, type FaultyProxy, startProxy } from '../support/proxy.ts';
import { startSampler } from '../support/sampler.ts';
import { share } from '../support/share.ts';
import { waitUntil } from '../support/wait.ts';
import { startWorkload } from '../support/workload.ts';

type Side = 'source' | 'target';
/** A frozen connection is found in some twenty seconds; a slow machine may take its time. */
const PATIENCE_MS = 180_000;
const CUTS = 3;
/** Nothing happens for most of the time; four writers for each of several pairs must not fill the machine. */
const SLOWLY = { paceMs: 100 };

const stage: { servers: Servers | null; pairs: number } = { servers: null, pairs: 0 };

beforeAll(async () => {
  await buildOnce();
  stage.servers = await startServers();
}, 180_000);

afterAll(async () => {
  await stage.servers?.sourceServer.dispose();
  await stage.servers?.targetServer.dispose();
});

type Networked = Pair & { readonly proxies: Readonly<Record<Side, FaultyProxy>> };

/** Source and target, each behind a proxy of its own. */
async function networked(): Promise<Networked> {
  const { servers } = stage;
  if (!servers) throw new Error('no servers');
  stage.pairs += 1;
  const name = `network_${stage.pairs}`;
  const proxies = { source: await startProxy(servers.sourceServer.url('postgres')), target: await startProxy(servers.targetServer.url('postgres')) };
  onTestFinished(async () => {
    await proxies.source.close();
    await proxies.target.close();
  });
  const pair = await crashPair(servers, name, { source: proxies.source.url(name), target: proxies.target.url(name) });
  return { ...pair, proxies };
}

/** The COMMIT of a round or a copy is a message of its own. */
const COMMITS: readonly (readonly [what: string, side: Side, rule: Pick<CutRule, 'text' | 'when'>])[] = [
  ['COMMIT never reaches the target', 'target', { text: 'commit\0', when: 'before' }],
  ["the target's answer to COMMIT is lost", 'target', { text: 'commit\0', when: 'after' }],
  ['the acknowledgement never reaches the source', 'source', { text: 'update sarrio.acknowledged', when: 'before' }],
  ["the source's answer to the acknowledgement is lost", 'source', { text: 'update sarrio.acknowledged', when: 'after' }],
  ['the rows of a round are lost on their way', 'source', { text: 'sarrio_pending', when: 'after' }],
];

describe('a commit in doubt', () => {
  test.each(share(COMMITS, 3))('%s, again and again', { timeout: 400_000 }, async (_, side, rule) => {
    const all = await networked();
    const workload = startWorkload(all.source);
    const running = startRunner(all.project);
    await expectCopied(all);
    const sampler = startSampler(all.target);
    const cutting = all.proxies[side].cutAt({ ...rule, nth: 2 });
    await waitUntil(`${CUTS} connections were cut`, () => cutting.count() >= CUTS, { timeoutMs: 240_000 });
    cutting.lift();
    await expectRounds(running, 3);
    await workload.stop();
    await running.stop();
    expect(await sampler.stop()).toEqual([]);
    await expectCaughtUp(all);
  });
});

/** Each waits long for the runner to find out, so they wait together. */
test('a network that carries nothing and says nothing: old connections to either side, in a large COPY, and a server that does not answer at all', {
  timeout: 600_000,
}, async () => {
  await Promise.all([deadConnections('source'), deadConnections('target'), deadInCopy(), silentServer()]);
});

/** Old connections are found dead, and replaced. */
async function deadConnections(side: Side): Promise<void> {
  const all = await networked();
  const workload = startWorkload(all.source, SLOWLY);
  const running = startRunner(all.project);
  await expectCopied(all);
  await expectRounds(running, 3);
  all.proxies[side].freeze('open');
  await running.waitFor(/tries again/, PATIENCE_MS);
  await expectRounds(running, 3);
  await workload.stop();
  await running.stop();
  all.proxies[side].thaw();
  await expectCaughtUp(all);
}

async function deadInCopy(): Promise<void> {
  const all = await networked();
  const running = startRunner(all.project);
  await expectCopied(all);
  for (const side of ['source', 'target'] as const) {
    const told = running.stderr().split('tries again').length;
    await all.source.query("insert into ledger (note) select repeat('x', 1000) from generate_series(1, 50000)");
    const copying =
      "select from pg_stat_activity where application_name = 'sarrio target' and query like 'copy %' and state = 'active' and datname = current_database()";
    await waitUntil('rows are on their way', async () => (await all.target.query(copying)).length > 0, { timeoutMs: PATIENCE_MS, everyMs: 2 });
    all.proxies[side].freeze('open');
    await waitUntil('the runner has found out', () => running.stderr().split('tries again').length > told, { timeoutMs: PATIENCE_MS });
    await expectRounds(running);
    all.proxies[side].thaw();
  }
  await running.stop();
  await expectCaughtUp(all);
}

/** The runner says that its server does not answer, and goes on when it is back. */
async function silentServer(): Promise<void> {
  const all = await networked();
  const workload = startWorkload(all.source, SLOWLY);
  const running = startRunner(all.project);
  await expectCopied(all);
  all.proxies.target.freeze('all');
  await running.waitFor(/tries again/, PATIENCE_MS);
  all.proxies.target.thaw();
  await expectRounds(running, 3);
  await workload.stop();
  await running.stop();
  await expectCaughtUp(all);
}
