import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { sarrio } from '../support/cli.ts';
import { ourObjects } from '../support/catalog.ts';
import { oneWayPair } from '../support/one-way.ts';
import { shopSync, smallShop } from '../support/shop.ts';

const codesOf = (stdout: string): readonly string[] => JSON.parse(stdout).diagnostics.map(({ code }: { code: string }) => code);

/** The address of a server that takes connections and never says a word. */
async function silentServer(): Promise<string> {
  const server = createServer((socket) => void socket.on('error', () => undefined));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no address');
  return `postgres://user:secret-of-nobody@127.0.0.1:${address.port}/db?connect_timeout=600`;
}

test('--timeout: a verb whose server never answers is left, with the reason, and the process ends', async () => {
  const { project } = await smallShop();
  const silent = await silentServer();
  const env = { ...project.env, [Object.keys(project.env)[0] ?? '']: silent };
  const { exitCode, stdout, stderr } = await sarrio(['plan', '--timeout', '300ms', '--json', '--generated', project.dir], { env });
  expect(exitCode).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({ command: 'plan', exit: 'failed' });
  expect(codesOf(stdout)[0]).toBe('SAR004');
  expect(stdout + stderr).not.toContain('secret-of-nobody');
});

test('--timeout: an apply that waits for a table gives its transaction back, and the next one goes through', async () => {
  const { shop, project } = await smallShop(shopSync('public.orders'));
  const holder = await shop.connect();
  try {
    await holder.query('begin; lock table orders in row exclusive mode');
    const late = await sarrio(['apply', '--timeout', '2s', '--json', '--generated', project.dir], { env: project.env });
    expect([1, 6]).toContain(late.exitCode);
    expect(codesOf(late.stdout)).toContain('SAR004');
    expect((await ourObjects(shop)).filter((name) => name.includes('orders') && name.includes('trigger'))).toEqual([]);
    await holder.query('rollback');
  } finally {
    await holder.end();
  }
  expect((await sarrio(['apply', '--generated', project.dir], { env: project.env })).exitCode).toBe(0);
});

test('--timeout: a run that was to end by itself fails, one that has ended does not', async () => {
  const { project } = await oneWayPair('create table t (id int primary key)');
  await project.approve();
  const run = (...args: readonly string[]) => sarrio(['run', ...args, '--generated', project.dir], { env: project.env });
  expect((await run('--until-caught-up', '--timeout', '5min')).exitCode).toBe(0);
  const endless = await run('--timeout', '1s');
  expect(endless.exitCode).toBe(1);
  expect(endless.stderr).toContain('SAR004: it has not ended within 1 s');
});

test.each([
  ['--timeout', 'soon'],
  ['--timeout', '-3s'],
])('%s %s is a usage error', async (...args) => {
  expect((await sarrio(['status', ...args])).exitCode).toBe(4);
});

test('--verbose names the variable of each connection and no secret; --quiet leaves progress out, and no result', async () => {
  const { project, shop } = await smallShop(shopSync('public.orders'));
  const verb = (...args: readonly string[]) => sarrio([...args, '--generated', project.dir], { env: project.env });
  const quiet = await verb('apply', '--quiet');
  expect({ exitCode: quiet.exitCode, stderr: quiet.stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(quiet.stdout).toContain('Applied: ');
  const loud = await verb('plan', '--verbose');
  expect(loud.stderr).toMatch(/^connected: database shop by \w+, to inspect, as \w+, PostgreSQL \d+, backend \d+, \d+ ms$/m);
  expect(loud.stderr).toMatch(/^took \d+\.\d s$/m);
  expect(loud.stderr).not.toContain(shop.url);
  expect((await verb('plan', '--quiet')).stdout).toBe((await verb('plan')).stdout);
  expect((await verb('plan', '--bogus', '--quiet')).stderr).toContain('--bogus');
});

test('nothing is coloured, whoever asks for colours', async () => {
  const { project } = await smallShop(shopSync('public.orders'));
  for (const args of [['plan'], ['status'], ['doctor'], ['compile'], ['--help'], ['status', '--no-color']]) {
    const { stdout, stderr } = await sarrio([...args, ...(args[0]?.startsWith('--') ? [] : ['--generated', project.dir])], {
      env: { ...project.env, FORCE_COLOR: '3', NO_COLOR: '' },
    });
    expect(stdout + stderr).not.toContain('\u001b');
  }
});
