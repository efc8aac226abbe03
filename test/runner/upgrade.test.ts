import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { OneWaySync } from '../../src/index.ts';
import { contentHash } from '../../src/plan/canonical.ts';
import { PLAN_FILE } from '../../src/plan/generated-files.ts';
import { planHash } from '../../src/plan/plan-hash.ts';
import { blockHash, readBlocks } from '../../src/plan/sql-blocks.ts';
import { objectKey } from '../../src/runner/5-inspect/live-database.ts';
import { readObjects } from '../../src/runner/5-inspect/read-installed.ts';
import { readSeals } from '../../src/runner/5-inspect/seal.ts';
import { connect, type Session } from '../../src/runner/postgres/session.ts';
import { root } from '../support/build.ts';
import { differingRows } from '../support/compare.ts';
import type { TestDatabase } from '../support/database.ts';
import { freshDatabase } from '../support/databases.ts';
import { catchUp } from '../support/follow.ts';
import { type Installation, installation } from '../support/installation.ts';
import { olderPlan } from '../support/older-plan.ts';

/** What earlier versions generated for test/cases/shop, by the day of their last commit. */
const BUILDS = join(root, 'test/upgrades');
const TABLES = ['customers', 'products', 'orders', 'order_lines', 'payments'];
const SYNC: OneWaySync = { mode: 'one-way', source: 'shop', targets: ['replica'], tables: ['public.*'], exclude: ['public.orders_today'] };

type Stage = { readonly shop: TestDatabase; readonly replica: TestDatabase; readonly project: Installation };

describe('a database that an earlier version installed', () => {
  test.each(['2026-11-23', '2026-11-24'])('on %s is brought up by apply, and no change is lost', async (build) => {
    const { shop, replica, project } = await installed(build);
    for (const database of [shop, replica]) await database.script(ROWS);
    await begunStream({ shop, replica });
    await shop.script(CHANGES);
    const captured = await entries(shop);
    expect(captured).toBeGreaterThan(4);
    const planned = await project.plan('--exit-code');
    expect(planned.diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
    const applied = await project.apply();
    expect(applied.diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(applied.exit).toBe('ok');
    expect((await project.plan('--exit-code')).exit).toBe('ok');
    expect(await entries(shop)).toBe(captured);
    await shop.script("insert into customers (id, email, name) overriding system value values (500, 'new@x', 'New'); delete from order_lines where line = 2");
    const events = await catchUp(project);
    expect(events.filter(({ kind }) => kind === 'copy-started')).toEqual([]);
    expect(await differingRows(shop, replica, ...TABLES.map((name) => `public.${name}`))).toEqual([]);
    expect(await columnsOf(shop)).toEqual(await freshColumns());
  });

  test.each(['1.2', '1.3'] as const)('a plan of format %s is applied and run, and gives way to one of today without a copy', async (format) => {
    const [shop, replica] = [await freshDatabase('shop'), await freshDatabase('replica')];
    for (const database of [shop, replica]) await database.script(await readFile(join(root, 'test/cases/shop/shop.sql'), 'utf8'));
    const project = await installation({ databases: { shop, replica }, syncs: { shop: SYNC } });
    const { plan } = await project.generated();
    await writeFile(join(project.dir, PLAN_FILE), olderPlan(plan, format));
    expect((await project.apply()).exit).toBe('ok');
    await shop.script(ROWS);
    const copied = await catchUp(project);
    expect(new Set(copied.flatMap((event) => (event.kind === 'copy-started' ? [event.kind] : []))).size).toBe(1);
    await shop.script(CHANGES);
    await catchUp(project);
    expect(await differingRows(shop, replica, ...TABLES.map((name) => `public.${name}`))).toEqual([]);
    expect(planHash((await project.compile()).plan)).not.toBe(contentHash({ ...plan, format }));
    expect((await project.plan('--exit-code')).exit).toBe('ok');
    await shop.script('delete from payments; update customers set name = id::text');
    const events = await catchUp(project);
    expect(events.filter(({ kind }) => kind === 'copy-started')).toEqual([]);
    expect(await differingRows(shop, replica, ...TABLES.map((name) => `public.${name}`))).toEqual([]);
  });

  test('a newer version installed is left alone', async () => {
    const { shop, project } = await installed('2026-11-24');
    await shop.query("update sarrio.installed set plan_format = '1.99' where name = 'sarrio.stream'");
    for (const outcome of [await project.plan(), await project.apply(), await project.destroy('--confirm', 'sarrio')]) {
      expect(outcome.exit).toBe('refused');
      expect(outcome.diagnostics.map(({ code }) => code)).toContain('SAR434');
    }
    expect(await shop.query("select 1 as one from sarrio.installed where name = 'sarrio.stream' and plan_format = '1.99'")).toEqual([{ one: 1 }]);
  });
});

const ROWS = `
  insert into customers (id, email, name) overriding system value select g, g || '@x', 'Name' from generate_series(1, 20) as g;
  insert into products select 's' || g, g from generate_series(1, 5) as g;
  insert into orders (id, customer_id, net, ordered_at) select g, g, g, '2026-01-01' from generate_series(1, 20) as g;
  insert into order_lines select g, 1, 's1', 1 from generate_series(1, 20) as g;
  insert into payments select g, '2024-05-05', g, 1 from generate_series(1, 20) as g;
`;
const CHANGES = `
  update customers set name = 'Changed' where id < 4;
  update products set price = 99 where sku = 's2';
  insert into orders (id, customer_id, net) values (21, 5, 5);
  insert into order_lines values (21, 1, 's2', 3), (21, 2, 's3', 4);
  delete from order_lines where order_id = 7;
  update payments set id = 100 where id = 1;
  insert into payments values (200, '2025-01-02', 1, 5);
`;

/** Two databases as the apply of that day left them, and today's project over them. */
async function installed(build: string): Promise<Stage> {
  const [shop, replica] = [await freshDatabase('shop'), await freshDatabase('replica')];
  for (const [database, name] of [
    [shop, 'shop'],
    [replica, 'replica'],
  ] as const) {
    await database.script(await readFile(join(root, 'test/cases/shop/shop.sql'), 'utf8'));
    await installFiles(database, join(BUILDS, build, name), build);
  }
  return { shop, replica, project: await installation({ databases: { shop, replica }, syncs: { shop: SYNC } }) };
}

async function installFiles(database: TestDatabase, folder: string, build: string): Promise<void> {
  const names = (await readdir(folder)).sort((left) => (left === 'sarrio.sql' ? -1 : 1));
  const files = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
  for (const file of files) await database.script(file);
  const session = await connect({ database: 'old', url: database.url, variable: 'OLD_URL', role: 'install' });
  const standing = new Map((await readObjects(session, null)).map((object) => [objectKey(object), object.fingerprint]));
  for (const block of files.flatMap(readBlocks)) {
    const fingerprint = standing.get(objectKey(block));
    if (fingerprint === undefined) throw new Error(`${objectKey(block)} was not installed`);
    const row = [block.kind, block.name, blockHash(block.text), fingerprint];
    await database.query("insert into sarrio.installed (kind, name, project, hash, fingerprint, plan_format) values ($1, $2, 'sarrio', $3, $4, '1.0')", row);
  }
  if (build !== '2026-11-23') await sealAll(session);
  await session.close();
}

async function sealAll(session: Session): Promise<void> {
  const captures = TABLES.map((name) => ({ table: { schema: 'public', name }, delta: `sarrio.delta_public_${name}` }));
  const seals = await readSeals(session, captures);
  for (const [delta, seal] of seals) await session.query('insert into sarrio.seal (delta, seal) values ($1, $2)', [delta, seal]);
}

/** The stream as a runner of that day left it: everything up to now is in the target. */
async function begunStream({ shop, replica }: Pick<Stage, 'shop' | 'replica'>): Promise<void> {
  const [at] = await shop.query<{ position: string }>(`
    select s.system_identifier || '.' || d.oid || '.' || c.timeline_id || '/' || pg_current_snapshot() as position
    from pg_control_system() as s, pg_control_checkpoint() as c, pg_database as d where d.datname = current_database()`);
  const [stream] = await shop.query<{ registration: string }>(
    "insert into sarrio.acknowledged (sync, target, position) values ('shop', 'replica', $1) returning registration",
    [at?.position],
  );
  const deltas = await shop.query<{ name: string; oid: string }>(
    "select relname as name, oid::text as oid from pg_class where relname like 'delta\\_public\\_%'",
  );
  await replica.query("insert into sarrio.watermark (sync, source, position, registration) values ('shop', 'shop', $1, $2)", [
    at?.position,
    stream?.registration,
  ]);
  for (const { name, oid } of deltas) {
    const relation = name.replace('delta_public_', 'public.');
    await replica.query(
      "insert into sarrio.initial_copy (sync, source, relation, capture, position, is_joined) values ('shop', 'shop', $1, $2::oid, $3, true)",
      [relation, oid, at?.position],
    );
  }
}

/** What triggers wrote, without what apply adds to let targets take a table anew. */
async function entries(shop: TestDatabase): Promise<number> {
  const counts = TABLES.map((name) => `(select count(*) from sarrio.delta_public_${name} where change_op::text <> 'T')`);
  const [row] = await shop.query<{ count: string }>(`select ${counts.join(' + ')} as count`);
  return Number(row?.count);
}

async function freshColumns(): Promise<unknown> {
  const [shop, replica] = [await freshDatabase('fresh'), await freshDatabase('fresh')];
  for (const database of [shop, replica]) await database.script(await readFile(join(root, 'test/cases/shop/shop.sql'), 'utf8'));
  await (await installation({ databases: { shop, replica }, syncs: { shop: SYNC } })).apply();
  return columnsOf(shop);
}

/** Every object and column of ours, whatever the order in which columns came. */
async function columnsOf(database: TestDatabase): Promise<unknown> {
  return database.query(`
    select c.relname, c.relkind, a.attname, format_type(a.atttypid, a.atttypmod) as type, a.attnotnull, a.atthasdef
    from pg_class as c join pg_namespace as n on n.oid = c.relnamespace join pg_attribute as a on a.attrelid = c.oid
    where n.nspname = 'sarrio' and a.attnum > 0 and not a.attisdropped order by c.relname, a.attname`);
}
