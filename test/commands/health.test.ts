import { expect, onTestFinished, test } from 'vitest';
import { parseAddress } from '../../src/commands/health/address.ts';
import { makeHealth } from '../../src/commands/health/health.ts';
import { metricsText } from '../../src/commands/health/metrics.ts';
import { type RunningSarrio, sarrio, startSarrio } from '../support/cli.ts';
import { freshDatabase } from '../support/databases.ts';
import { onAll } from '../support/follow.ts';
import { type Installation, installation } from '../support/installation.ts';
import { mastersOf } from '../support/mastering.ts';
import { waitUntil } from '../support/wait.ts';

const T = 'create table t (id integer primary key, v text)';

async function running(project: Installation): Promise<{ runner: RunningSarrio; url: string }> {
  const runner = startSarrio(['run', '--generated', project.dir, '--health', '127.0.0.1:0'], { env: project.env });
  onTestFinished(async () => void (await runner.kill()));
  const line = await runner.waitFor(/answers on http/);
  return { runner, url: /http:\S+?(?=:? |:$)/.exec(line)?.[0] ?? '' };
}

type Status = { readonly ready: boolean; readonly streams: readonly { readonly target: string; readonly state: string }[] };

async function ask(url: string): Promise<{ status: number; text: string }> {
  const response = await fetch(url);
  return { status: response.status, text: await response.text() };
}

test('a runner says whether it lives, is ready, and what it has done', { timeout: 120_000 }, async () => {
  const [east, west, report] = [await freshDatabase('east'), await freshDatabase('west'), await freshDatabase('report')];
  await onAll([east, west, report], T);
  const copy = { mode: 'one-way', source: 'east', targets: ['report'], tables: ['public.t'] } as const;
  const project = await installation({ databases: { east, west, report }, syncs: { m: mastersOf(['public.t'], ['east', 'west']), copy } });
  expect((await project.apply()).diagnostics).toEqual([]);
  const { runner, url } = await running(project);
  const isReady = async (): Promise<boolean> => (await ask(`${url}/readyz`)).status === 200;
  await waitUntil('it is ready', isReady, { timeoutMs: 60_000 });
  expect(await ask(`${url}/livez`)).toEqual({ status: 200, text: 'ok\n' });
  await east.script("insert into t values (1, 'a'), (2, 'b')");
  await waitUntil('both rows are at report', async () => (await report.query('select from t')).length === 2);
  const counted = /sarrio_stream_rows_total\{sync="copy",source="east",target="report"\} 2\n/;
  await waitUntil('they are counted', async () => counted.test((await ask(`${url}/metrics`)).text));
  await waitUntil('so are rounds', async () => /sarrio_rounds_total\{sync="m"\} [1-9]/.test((await ask(`${url}/metrics`)).text));

  await report.script('alter table t add constraint small check (id < 10)');
  await east.script("insert into t values (10, 'a secret')");
  const status = async (): Promise<Status> => JSON.parse((await ask(`${url}/status`)).text) as Status;
  const hasFailed = async (): Promise<boolean> => (await status()).streams.some(({ target, state }) => target === 'report' && state === 'failed');
  await waitUntil('the stream fails', hasFailed, { timeoutMs: 60_000 });
  const refused = await ask(`${url}/readyz`);
  expect(refused.status).toBe(503);
  expect(refused.text).not.toMatch(/secret|small/);
  expect((await ask(`${url}/livez`)).status).toBe(200);
  expect((await ask(`${url}/elsewhere`)).status).toBe(404);
  expect((await fetch(`${url}/readyz`, { method: 'POST' })).status).toBe(405);

  const second = await sarrio(['run', '--generated', project.dir, '--health', new URL(url).port], { env: project.env });
  expect(second).toMatchObject({ exitCode: 1 });
  expect(second.stderr).toMatch(/SAR619.*EADDRINUSE/);

  await report.script('alter table t drop constraint small');
  await waitUntil('it is ready again', isReady, { timeoutMs: 60_000 });
  expect((await runner.stop()).exitCode).toBe(0);
});

test('addresses of the command line', () => {
  expect(['9187', '0.0.0.0:1', '[::1]:9187', 'localhost:80'].map(parseAddress)).toEqual([
    { host: '127.0.0.1', port: 9187 },
    { host: '0.0.0.0', port: 1 },
    { host: '::1', port: 9187 },
    { host: 'localhost', port: 80 },
  ]);
  for (const bad of ['', ':80', '70000', 'a', '::1:80', '1.2.3.4:']) expect(() => parseAddress(bad), bad).toThrow(/Write a port/);
});

test('a name of the config cannot break the lines of the metrics, and a run without streams is not ready', () => {
  const health = makeHealth();
  expect(health.report().isReady).toBe(false);
  health.heard({ kind: 'masters-round', sync: 'a"b\\c\nd', members: [], rows: 1, tables: 1, conflicts: 3, ms: 1 });
  expect(metricsText(health.report())).toContain('sarrio_conflicts_total{sync="a\\"b\\\\c\\nd"} 3\n');
});
