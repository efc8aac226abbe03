import { describe, expect, test } from 'vitest';
import { ourObjects, wholeCatalog } from '../support/catalog.ts';
import { installation } from '../support/installation.ts';
import { smallShop, shopSync } from '../support/shop.ts';

describe('destroy', () => {
  test('leaves nothing of ours behind, and every row', async () => {
    const { shop, copy, project } = await smallShop();
    const before = [await wholeCatalog(shop), await wholeCatalog(copy)];
    await project.apply();
    await shop.query("insert into orders select 1, g, 'x' from generate_series(1, 1234) as g");
    const shown = await project.destroy('--plan-only');
    expect(shown.exit).toBe('ok');
    expect(shown.text).toContain('drop-changes:sarrio.delta_public_orders  (database shop: 1,234 unconsumed changes for target copy)');
    expect(await ourObjects(shop)).not.toEqual([]);
    const destroyed = await project.destroy('--confirm', 'sarrio');
    expect(destroyed.diagnostics).toEqual([]);
    expect(destroyed.exit).toBe('ok');
    expect([await wholeCatalog(shop), await wholeCatalog(copy)]).toEqual(before);
    expect(await shop.query('select count(*)::int as n from orders')).toEqual([{ n: 1234 }]);
    const again = await project.destroy('--confirm', 'sarrio');
    expect(again.exit).toBe('ok');
    expect(again.text).toContain('Nothing to do');
  });

  test('wants the name of the project', async () => {
    const { shop, project } = await smallShop();
    await project.apply();
    const before = await ourObjects(shop);
    for (const args of [[], ['--confirm', 'shop']]) {
      const refused = await project.destroy(...args);
      expect(refused.exit).toBe('refused');
      expect(refused.diagnostics.map(({ code }) => code)).toEqual(['SAR508']);
    }
    expect(await ourObjects(shop)).toEqual(before);
  });

  test('removes by inventory what the plan no longer speaks of', async () => {
    const { shop, copy, project } = await smallShop();
    const before = [await wholeCatalog(shop), await wholeCatalog(copy)];
    await project.apply();
    await project.compile(shopSync('public.customers'));
    expect((await project.destroy('--confirm', 'sarrio')).exit).toBe('ok');
    expect([await wholeCatalog(shop), await wholeCatalog(copy)]).toEqual(before);
  });

  test('works when the plan has no table left', async () => {
    const { shop, copy, project } = await smallShop();
    const before = [await wholeCatalog(shop), await wholeCatalog(copy)];
    await project.apply();
    await project.compile({});
    expect((await project.destroy('--confirm', 'sarrio')).exit).toBe('ok');
    expect([await wholeCatalog(shop), await wholeCatalog(copy)]).toEqual(before);
  });

  test('leaves what others put into the schema, and the schema with it', async () => {
    const { shop, project } = await smallShop();
    await project.apply();
    await shop.script("create table sarrio.notes (id int); create type sarrio.mood as enum ('good')");
    const destroyed = await project.destroy('--confirm', 'sarrio');
    expect(destroyed.exit).toBe('ok');
    expect(destroyed.diagnostics.map(({ code, severity }) => `${severity} ${code}`)).toEqual(['warning SAR510', 'warning SAR510']);
    expect((await ourObjects(shop)).filter((line) => !line.startsWith('schema'))).toEqual(['relation r notes ']);
  });

  test('stops at what others built on an object of ours, and goes on when it is gone', async () => {
    const { shop, project } = await smallShop();
    await project.apply();
    await shop.script('create view public.backlog as select count(*) from sarrio.delta_public_orders');
    const stopped = await project.destroy('--confirm', 'sarrio');
    expect(stopped.exit).toBe('partial');
    expect(stopped.diagnostics[0]?.message).toContain('sarrio.delta_public_orders');
    await shop.script('drop view public.backlog');
    expect((await project.destroy('--confirm', 'sarrio')).exit).toBe('ok');
    expect(await ourObjects(shop)).toEqual([]);
  });

  test('needs no ownership of the tables', async () => {
    const { shop, copy } = await smallShop();
    const role = `installer_${shop.name}`;
    await shop.script(`create role ${role} login; grant create on database ${shop.name} to ${role}; grant select, trigger on orders to ${role}`);
    const url = new URL(shop.url);
    url.username = role;
    const project = await installation({ databases: { shop, copy }, syncs: shopSync('public.orders'), urls: { shop: url.href } });
    const before = await wholeCatalog(shop);
    const applied = await project.apply();
    expect(applied.diagnostics).toEqual([]);
    await shop.query("insert into orders values (1, 1, 'x')");
    expect((await project.plan('--exit-code')).exit).toBe('ok');
    const destroyed = await project.destroy('--confirm', 'sarrio');
    expect(destroyed.diagnostics).toEqual([]);
    expect(await wholeCatalog(shop)).toEqual(before);
    await shop.script(`drop owned by ${role}; drop role ${role}`);
  });
});
