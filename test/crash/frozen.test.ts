import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildOnce } from '../support/build.ts';
import { crashPair, expectCaughtUp, expectCopied, expectRounds, type Pair, type Servers, startRunner, startServers } from '../support/crash-pair.ts';
import { send } from '../support/process.ts';
import { startSampler } from '../support/sampler.ts';
import { waitUntil } from '../support/wait.ts';
import { startWorkload } from '../support/workload.ts';

/** A target ends the session of a runner that it has not heard of for a minute. */
const PATIENCE_MS = 240_000;

/** For a minute nothing but waiting goes on. */
const GENTLE_MS = 300;

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
  return crashPair(stage.servers, `frozen_${stage.pairs}`);
}

test('a frozen runner loses its place to another, and changes nothing when it comes back: in a round, in a COPY, and with nothing to do', {
  timeout: 600_000,
}, async () => {
  await Promise.all([frozenInRound(), frozenInCopy(), frozenAtRest()]);
});

async function frozenInRound(): Promise<void> {
  const all = await pair();
  const workload = startWorkload(all.source, { paceMs: GENTLE_MS });
  const first = startRunner(all.project, 'round.target.before-commit:5=pause');
  await first.waitFor(/failpoint round.target.before-commit/, PATIENCE_MS);
  send(first.pid, 'SIGSTOP');
  const second = startRunner(all.project);
  await second.waitFor(/s: source -> target: standby/, PATIENCE_MS);
  await second.waitFor(/s: source -> target: running/, PATIENCE_MS);
  const sampler = startSampler(all.target);
  // Nothing of the source is held by the frozen one either.
  await all.source.query('begin; lock table accounts, ledger, items, scratch, slots in access exclusive mode; commit');
  await expectRounds(second, 3);
  send(first.pid, 'SIGCONT');
  send(first.pid, 'SIGUSR2');
  await first.waitFor(/s: source -> target: .*\n?.*(terminat|not queryable|closed)/, PATIENCE_MS);
  await first.waitFor(/s: source -> target: standby/, PATIENCE_MS);
  await expectRounds(second, 3);
  await first.stop();
  await second.stop();
  await workload.stop();
  expect(await sampler.stop()).toEqual([]);
  await expectCaughtUp(all);
}

/** The target waits for rows that never come: no timeout of the server's applies in the middle of a statement. */
async function frozenInCopy(): Promise<void> {
  const all = await pair();
  const first = startRunner(all.project);
  await expectCopied(all);
  await all.source.query("insert into ledger (note) select repeat('x', 1000) from generate_series(1, 100000)");
  const copying = "select from pg_stat_activity where datname = current_database() and query like 'copy %' and state = 'active' and wait_event = 'ClientRead'";
  await waitUntil('rows are on their way', async () => (await all.target.query(copying)).length > 0, { timeoutMs: PATIENCE_MS, everyMs: 2 });
  send(first.pid, 'SIGSTOP');
  const second = startRunner(all.project);
  await second.waitFor(/s: source -> target: standby/, PATIENCE_MS);
  await second.waitFor(/s: source -> target: running/, PATIENCE_MS);
  await expectRounds(second);
  send(first.pid, 'SIGCONT');
  await first.waitFor(/s: source -> target: standby/, PATIENCE_MS);
  await first.stop();
  await second.stop();
  await expectCaughtUp(all);
}

async function frozenAtRest(): Promise<void> {
  const all = await pair();
  const first = startRunner(all.project);
  await expectCopied(all);
  send(first.pid, 'SIGSTOP');
  const second = startRunner(all.project);
  await second.waitFor(/s: source -> target: running/, PATIENCE_MS);
  await all.source.query("insert into ledger (note) values ('b')");
  await waitUntil('the row is there', async () => (await all.target.query('select from ledger')).length === 1, { timeoutMs: PATIENCE_MS });
  send(first.pid, 'SIGCONT');
  await first.waitFor(/s: source -> target: standby/, PATIENCE_MS);
  await first.stop();
  await second.stop();
  await expectCaughtUp(all);
}
