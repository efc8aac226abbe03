import { describe, expect, onTestFinished, test } from 'vitest';
import { inventory, ourObjects } from '../support/catalog.ts';
import { installation } from '../support/installation.ts';
import { startServer } from '../support/server.ts';
import { smallShop, shopSync } from '../support/shop.ts';

describe('apply', () => {
  test('installs what plan announced, and planning again finds nothing', async () => {
    const { shop, project } = await smallShop();
    const planned = await project.plan('--exit-code');
    expect(planned.exit).toBe('differs');
    expect(planned.text).toContain('SHARE ROW EXCLUSIVE on public.orders');
    const applied = await project.apply();
    expect(applied.diagnostics).toEqual([]);
    expect(applied.exit).toBe('ok');
    expect(applied.text).toContain('re-planned: nothing to do');
    const again = await project.plan('--exit-code');
    expect(again.text).toContain('nothing to do');
    expect(again.exit).toBe('ok');
    expect(await shop.query('select sync, target, position from sarrio.acknowledged')).toEqual([{ sync: 'shop', target: 'copy', position: null }]);
    await shop.query("insert into orders values (1, 1, 'x'), (1, 2, 'y')");
    expect(await shop.query('select id, line, change_op from sarrio.delta_public_orders order by line')).toEqual([
      { id: 1, line: 1, change_op: 'I' },
      { id: 1, line: 2, change_op: 'I' },
    ]);
  });

  test('covers a partitioned table and its partitions', async () => {
    const { shop, project } = await smallShop(shopSync('public.payments'));
    expect((await project.apply()).diagnostics).toEqual([]);
    expect((await project.plan('--exit-code')).exit).toBe('ok');
    await shop.query('insert into payments_high values (150, 1)');
    expect(await shop.query('select id from sarrio.delta_public_payments')).toEqual([{ id: 150 }]);
  });

  test('a second time runs no statement and takes no lock on the tables', async () => {
    const { shop, copy, project } = await smallShop();
    await project.apply();
    const before = [await ourObjects(shop, { versions: true }), await ourObjects(copy, { versions: true }), await inventory(shop)];
    const session = await shop.connect();
    await session.query('begin; lock table customers, orders in access exclusive mode');
    const second = await project.apply('--ddl-retries', '0');
    await session.query('rollback');
    await session.end();
    expect(second.diagnostics).toEqual([]);
    expect(second.exit).toBe('ok');
    expect(second.text).toContain('Nothing to do');
    expect([await ourObjects(shop, { versions: true }), await ourObjects(copy, { versions: true }), await inventory(shop)]).toEqual(before);
  });

  test('adopts what was installed by hand from the generated files, when that is approved', async () => {
    const { shop, project } = await smallShop();
    const { files } = await project.generated();
    for (const name of ['sarrio', 'public.customers', 'public.orders']) await shop.script(files.get(`sql/shop/${name}.sql`) ?? '');
    const before = await ourObjects(shop);
    expect((await project.apply()).diagnostics.map(({ code, message }) => `${code} ${message.split(':')[0]}`)).toEqual(['SAR502 adopt-objects']);
    const applied = await project.apply('--allow', 'adopt-objects:shop');
    expect(applied.diagnostics).toEqual([]);
    expect(applied.exit).toBe('ok');
    expect(await ourObjects(shop)).toEqual(before);
    expect((await project.plan('--exit-code')).exit).toBe('ok');
  });

  test('binds an approval to the change plan', async () => {
    const { shop, project } = await smallShop();
    const id = /change plan (\w{64})/.exec((await project.plan()).text)?.[1] ?? '';
    expect(id).toHaveLength(64);
    await shop.query("insert into customers values (1, 'before')");
    const other = await project.apply('--expect', 'f'.repeat(64));
    expect(other.exit).toBe('refused');
    expect(other.diagnostics.map(({ code }) => code)).toEqual(['SAR503']);
    expect(await ourObjects(shop)).toEqual([]);
    expect((await project.apply('--expect', id)).exit).toBe('ok');
  });

  test('stops as busy while another apply holds the lock, and names it', async () => {
    const { shop, project } = await smallShop();
    const holder = await shop.connect();
    await holder.query("set application_name = 'the other apply'; select pg_advisory_lock(hashtextextended('sarrio apply sarrio', 0))");
    const busy = await project.apply('--wait-lock', '300ms');
    expect(busy.exit).toBe('busy');
    expect(busy.diagnostics[0]?.code).toBe('SAR504');
    expect(busy.diagnostics[0]?.message).toContain('the other apply');
    await holder.end();
    expect((await project.apply()).exit).toBe('ok');
  });
});

describe('fingerprints', () => {
  test('are the same on every major version, and with other column numbers', async () => {
    const places = [];
    for (const major of [14, 17, 18] as const) {
      const server = await startServer({ major, durable: false });
      onTestFinished(() => server.dispose());
      const [shop, copy] = [await server.createDatabase('shop'), await server.createDatabase('copy')];
      await shop.script(`create table orders (${major === 17 ? 'gone int, ' : ''}id int, line varchar(20) collate "C", note text, primary key (id, line))`);
      if (major === 17) await shop.script('alter table orders drop column gone');
      await copy.script('create table orders (id int, line varchar(20) collate "C", note text, primary key (id, line))');
      const project = await installation({ databases: { shop, copy }, syncs: shopSync('public.orders') });
      expect((await project.apply()).diagnostics).toEqual([]);
      expect((await project.plan('--exit-code')).exit).toBe('ok');
      places.push({ major, rows: await inventory(shop) });
      await Promise.all([shop.close(), copy.close()]);
    }
    for (const { rows } of places) expect(rows).toEqual(places[0]?.rows);
  });
});
