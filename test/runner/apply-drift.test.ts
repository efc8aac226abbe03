import { describe, expect, test } from 'vitest';
import { ourObjects } from '../support/catalog.ts';
import { smallShop, shopSync } from '../support/shop.ts';

describe('drift is named and repaired:', () => {
  const faults: readonly (readonly [string, string, RegExp])[] = [
    ['a dropped trigger', 'drop trigger sarrio_update on orders', /repair trigger sarrio_update on public\.orders: drift: apply installed it, but it is gone/],
    [
      'a disabled trigger',
      'alter table orders disable trigger sarrio_insert',
      /repair trigger sarrio_insert on public\.orders: drift: its catalog fingerprint is \w{12}, but apply left \w{12}/,
    ],
    ['a trigger that fires always', 'alter table orders enable always trigger sarrio_delete', /repair trigger sarrio_delete on public\.orders: drift/],
    [
      'an altered function',
      'create or replace function sarrio.capture_public_orders() returns trigger language plpgsql as $$ begin return null; end $$',
      /repair function sarrio\.capture_public_orders\(\): drift/,
    ],
    [
      'a function that everybody may call',
      'grant execute on function sarrio.capture_public_orders() to public',
      /repair function sarrio\.capture_public_orders\(\): drift/,
    ],
    ['a dropped index', 'drop index sarrio.xid2_public_orders', /repair index sarrio\.xid2_public_orders: drift: apply installed it, but it is gone/],
    [
      'another index under its name',
      'drop index sarrio.xid2_public_orders; create index xid2_public_orders on sarrio.segment2_public_orders (change_at)',
      /repair index sarrio\.xid2_public_orders: drift/,
    ],
    ['another replica identity', 'alter table sarrio.delta_public_orders replica identity nothing', /repair table sarrio\.delta_public_orders: drift/],
    ['a dropped bookkeeping table', 'drop table sarrio.stream', /repair table sarrio\.stream: drift/],
  ];
  for (const [what, statement, line] of faults) {
    test(what, async () => {
      const { shop, project } = await smallShop(shopSync('public.orders'));
      await project.apply();
      const before = await ourObjects(shop);
      await shop.script(statement);
      const planned = await project.plan('--exit-code');
      expect(planned.exit).toBe('differs');
      expect(planned.text).toMatch(line);
      expect(planned.text).toContain(/trigger|function/.test(what) ? '1 drifted and to repair, 1 to refresh.' : '1 drifted and to repair.');
      const repaired = await project.apply();
      expect(repaired.diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
      expect(repaired.exit).toBe('ok');
      expect(await ourObjects(shop)).toEqual(before);
      expect((await project.plan('--exit-code')).exit).toBe('ok');
    });
  }

  test('a column added to a table of ours cannot be, and the error says what to do', async () => {
    const { shop, project } = await smallShop(shopSync('public.orders'));
    await project.apply();
    await shop.script('alter table sarrio.stream add column surplus int');
    const stopped = await project.apply();
    expect(stopped.exit).toBe('failed');
    expect(stopped.diagnostics.find(({ severity }) => severity === 'error')).toMatchObject({ code: 'SAR509' });
    await shop.script('alter table sarrio.stream drop column surplus');
    expect((await project.apply()).text).toContain('Nothing to do');
  });

  test('a foreign object in the schema is reported and left alone', async () => {
    const { shop, project } = await smallShop(shopSync('public.orders'));
    await project.apply();
    await shop.script('create table sarrio.notes (id int); create view sarrio.busy as select 1 as one');
    const planned = await project.plan('--exit-code');
    expect(planned.exit).toBe('ok');
    expect(planned.diagnostics.map(({ code, severity, message }) => `${severity} ${code} ${message}`)).toEqual([
      'warning SAR510 view sarrio.busy is not ours and is left alone',
      'warning SAR510 table sarrio.notes is not ours and is left alone',
    ]);
  });
});

describe('partitions', () => {
  test('that were attached or detached are followed after compiling again', async () => {
    const { shop, project } = await smallShop(shopSync('public.payments'));
    await project.apply();
    await shop.script('alter table payments detach partition payments_low; create table payments_more (id int primary key, amount numeric)');
    await shop.script('insert into payments_more values (250, 1); alter table payments attach partition payments_more for values from (200) to (300)');
    await project.compile();
    const applied = await project.apply();
    expect(applied.diagnostics.map(({ code, where }) => `${code} ${where}`)).toEqual(['SAR511 database shop, table public.payments']);
    expect(applied.exit).toBe('ok');
    await shop.script('insert into payments_more values (251, 1); insert into payments_low values (1, 1)');
    expect(await shop.query('select id, change_op::text as op from sarrio.delta_public_payments order by id')).toEqual([
      { id: 251, op: 'I' },
      { id: null, op: 'T' },
    ]);
    expect((await project.plan('--exit-code')).exit).toBe('ok');
  });
});

describe('what leaves the config', () => {
  test('is removed only when the loss of its changes is approved by name', async () => {
    const { shop, project } = await smallShop();
    await project.apply();
    await shop.query("insert into orders select 1, g, 'x' from generate_series(1, 1234) as g");
    await project.compile(shopSync('public.customers'));
    const planned = await project.plan();
    expect(planned.text).toContain('drop-changes:sarrio.delta_public_orders  (database shop: 1,234 unconsumed changes for target copy)');
    const refused = await project.apply();
    expect(refused.exit).toBe('refused');
    expect(refused.diagnostics.map(({ code }) => code)).toEqual(['SAR502']);
    expect(refused.diagnostics[0]?.hint).toContain("--allow 'drop-changes:sarrio.delta_public_orders'");
    const applied = await project.apply('--allow', 'drop-changes:sarrio.delta_public_orders');
    expect(applied.diagnostics).toEqual([]);
    expect(applied.exit).toBe('ok');
    expect((await ourObjects(shop)).filter((line) => line.includes('orders'))).toEqual([]);
    await shop.query("insert into orders values (2, 1, 'not captured')");
    expect((await project.plan('--exit-code')).exit).toBe('ok');
  });

  test('a stream is unregistered only when that is approved', async () => {
    const { shop, project } = await smallShop();
    await project.apply();
    const renamed = { other: shopSync('public.customers', 'public.orders')['shop'] };
    await project.compile(renamed.other ? { other: renamed.other } : {});
    const refused = await project.apply();
    expect(refused.diagnostics.map(({ hint }) => hint)).toEqual([
      expect.stringContaining("If that is meant: --allow 'drop-stream:shop/copy', or in the config: approve: [{ hazard: 'drop-stream'"),
    ]);
    expect((await project.apply('--allow', 'drop-stream:shop/copy')).exit).toBe('ok');
    expect(await shop.query('select sync, target from sarrio.acknowledged')).toEqual([{ sync: 'other', target: 'copy' }]);
    expect((await project.plan('--exit-code')).exit).toBe('ok');
  });

  test('a key that changes makes the delta table anew, with approval', async () => {
    const { shop, copy, project } = await smallShop(shopSync('public.orders'));
    await project.apply();
    await shop.query("insert into orders values (1, 1, 'x')");
    for (const database of [shop, copy]) await database.script('truncate orders; alter table orders drop constraint orders_pkey, add primary key (line)');
    await project.compile();
    expect((await project.apply()).diagnostics.map(({ code }) => code)).toEqual(['SAR502']);
    const applied = await project.apply('--allow', 'drop-changes:sarrio.delta_public_orders');
    expect(applied.diagnostics).toEqual([]);
    await shop.query("insert into orders values (1, 7, 'x')");
    expect(await shop.query('select line, change_op from sarrio.delta_public_orders')).toEqual([{ line: 7, change_op: 'I' }]);
  });

  test('everything at once is refused: that is what destroy is for', async () => {
    const { shop, project } = await smallShop(shopSync('public.orders'));
    await project.apply();
    const before = await ourObjects(shop);
    await project.compile({});
    for (const outcome of [
      await project.plan(),
      await project.apply('--allow', 'drop-changes:sarrio.delta_public_orders', '--allow', 'drop-stream:shop/copy'),
    ]) {
      expect(outcome.exit).toBe('refused');
      expect(outcome.diagnostics.map(({ code }) => code)).toContain('SAR501');
    }
    expect(await ourObjects(shop)).toEqual(before);
  });
});
