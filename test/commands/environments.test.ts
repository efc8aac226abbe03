import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeFile } from 'node:fs/promises';
import { expect, onTestFinished, test } from 'vitest';
import { EXIT } from '../../src/plan/errors.ts';
import { type CliResult, sarrio } from '../support/cli.ts';
import { ourObjects } from '../support/catalog.ts';
import { freshDatabase } from '../support/databases.ts';

const CONFIG = `databases: { shop: { env: DEV_SHOP }, copy: { env: DEV_COPY } }
syncs:
  orders: { mode: one-way, source: shop, targets: [copy], tables: [public.orders] }
environments:
  dev: { databases: { shop: { env: DEV_SHOP }, copy: { env: DEV_COPY } } }
  staging: { databases: { shop: { env: STAGING_SHOP }, copy: { env: STAGING_COPY } } }
`;

test('each environment has databases of its own, and no verb that connects chooses one by itself', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sarrio-env-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const [devShop, devCopy, shop, copy] = [
    await freshDatabase('dev'),
    await freshDatabase('dev'),
    await freshDatabase('staging'),
    await freshDatabase('staging'),
  ];
  for (const each of [devShop, devCopy, shop, copy]) await each.script('create table orders (id int primary key, note text)');
  await devShop.script("insert into orders values (1, 'dev')");
  await shop.script("insert into orders values (7, 'staging')");
  await writeFile(join(folder, 'replication.config.yaml'), CONFIG);
  const env = { DEV_SHOP: devShop.url, DEV_COPY: devCopy.url, STAGING_SHOP: shop.url, STAGING_COPY: copy.url };
  const run = (...args: readonly string[]): Promise<CliResult> => sarrio(args, { cwd: folder, env });
  const refusal = async (...args: readonly string[]) => {
    const { exitCode, stdout } = await run(...args, '--json');
    return { exitCode, code: JSON.parse(stdout).diagnostics[0]?.code };
  };
  expect((await run('pull', '--env', 'staging')).exitCode).toBe(0);
  const lock = await run('pull', '--check');
  expect(lock.exitCode).toBe(0);
  expect((await run('compile')).exitCode).toBe(0);

  // Nobody named one.
  for (const verb of [['plan'], ['apply'], ['run', '--once'], ['status'], ['diff'], ['doctor'], ['verify'], ['destroy', '--confirm', 'sarrio']])
    expect(await refusal(...verb), verb.join(' ')).toEqual({ exitCode: EXIT.invalid, code: 'SAR325' });
  expect(await refusal('pause', '--sync', 'orders')).toEqual({ exitCode: EXIT.invalid, code: 'SAR325' });
  expect(await refusal('apply', '--env', 'prod')).toEqual({ exitCode: EXIT.invalid, code: 'SAR325' });
  expect(await refusal('pull', '--env', 'prod')).toEqual({ exitCode: EXIT.invalid, code: 'SAR325' });
  expect(await refusal('compile', '--env', 'dev')).toEqual({ exitCode: EXIT.invalid, code: 'SAR001' });

  // An approval is for one environment: the same steps elsewhere have another id.
  const planned = await run('plan', '--env', 'dev', '--json');
  const id = JSON.parse(planned.stdout).data.id;
  expect(await refusal('apply', '--env', 'staging', '--expect', id)).toEqual({ exitCode: EXIT.refused, code: 'SAR503' });
  expect((await run('plan', '--env', 'staging', '--format', 'markdown')).stdout).toContain('### sarrio plan: staging');

  expect((await run('apply', '--env', 'staging')).exitCode).toBe(0);
  expect((await run('run', '--env', 'staging', '--until-caught-up')).exitCode).toBe(0);
  expect(await copy.query('select id, note from orders')).toEqual([{ id: 7, note: 'staging' }]);
  expect(await devCopy.query('select id from orders')).toEqual([]);
  expect(await ourObjects(devShop)).toEqual([]);

  expect((await run('apply', '--env', 'dev', '--expect', id)).exitCode).toBe(0);
  expect((await run('run', '--env', 'dev', '--until-caught-up')).exitCode).toBe(0);
  expect(await devCopy.query('select id, note from orders')).toEqual([{ id: 1, note: 'dev' }]);
  expect((await run('destroy', '--env', 'dev', '--confirm', 'sarrio')).exitCode).toBe(0);
  expect(await ourObjects(devShop)).toEqual([]);
  expect((await run('status', '--env', 'staging')).stdout).toContain('orders: shop -> copy');
});
