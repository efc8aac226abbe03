import { describe, expect, onTestFinished, test } from 'vitest';
import { checkDatabases } from '../../src/runner/5-inspect/checks/checks.ts';
import { inspectDatabases } from '../../src/runner/5-inspect/inspect.ts';
import { ourObjects } from '../support/catalog.ts';
import type { TestDatabase } from '../support/database.ts';
import { type Installation, installation } from '../support/installation.ts';
import type { Outcome } from '../support/run-verb.ts';
import { runHints } from '../support/roles.ts';
import { smallShop, type Shop, shopSync } from '../support/shop.ts';
import { startTransactionPooler } from '../support/transaction-pooler.ts';
import { waitUntil } from '../support/wait.ts';

const ORDERS = shopSync('public.orders');

/** `code where: message` of each error. */
function faults(outcome: Outcome): readonly string[] {
  return outcome.diagnostics.filter(({ severity }) => severity === 'error').map(({ code, where, message }) => `${code} ${where ?? ''}: ${message}`);
}

function hints(outcome: Outcome): string {
  return outcome.diagnostics.map(({ hint }) => hint ?? '').join('\n');
}

/** A login role of its own in `database`, and a project that connects there as it. */
async function asRole(place: Shop, database: 'shop' | 'copy', grants: (role: string) => string): Promise<{ role: string; project: Installation }> {
  const role = `user_${place[database].name}`;
  await place[database].script(`create role ${role} login; ${grants(role)}`);
  onTestFinished(() => place[database].script(`drop owned by ${role} cascade; drop role ${role}`));
  const url = new URL(place[database].url);
  url.username = role;
  const { shop, copy } = place;
  return { role, project: await installation({ databases: { shop, copy }, syncs: ORDERS, urls: { [database]: url.href } }) };
}

async function nothingInstalled(...databases: readonly TestDatabase[]): Promise<void> {
  for (const database of databases) expect(await ourObjects(database)).toEqual([]);
}

describe('missing privileges, with the GRANT to run:', () => {
  test('on a source', async () => {
    const place = await smallShop(ORDERS);
    const { role, project } = await asRole(place, 'shop', () => '');
    const outcome = await project.apply();
    expect(outcome.exit).toBe('refused');
    expect(faults(outcome)).toEqual([
      `SAR407 database shop: role ${role} may not create schema sarrio`,
      `SAR407 database shop, table public.orders: role ${role} may not create triggers here`,
      `SAR408 database shop, table public.orders: role ${role} lacks SELECT on this table`,
    ]);
    for (const line of hints(outcome).split('\n')) if (/GRANT .*;$/.test(line)) await place.shop.script(line.replace(/^Run: /, ''));
    expect(faults(await project.apply())).toEqual([]);
  });

  test('on a target', async () => {
    const place = await smallShop(ORDERS);
    const { role, project } = await asRole(place, 'copy', () => `revoke temporary on database ${place.copy.name} from public`);
    const outcome = await project.apply();
    expect(outcome.exit).toBe('refused');
    expect(faults(outcome)).toEqual([
      `SAR407 database copy: role ${role} may not create schema sarrio`,
      `SAR408 database copy: role ${role} may not create temporary tables, which a target needs as a stage`,
      `SAR408 database copy, table public.orders: role ${role} lacks SELECT, INSERT, UPDATE, DELETE on this table`,
      `SAR403 database copy: role ${role} may not set session_replication_role, which writing to a target needs`,
    ]);
    await nothingInstalled(place.shop, place.copy);
    await runHints(place.copy, outcome.diagnostics);
    expect(faults(await project.apply())).toEqual([]);
  });

  test('where row security applies', async () => {
    const place = await smallShop(ORDERS);
    await place.shop.script('alter table orders enable row level security');
    const { role, project } = await asRole(
      place,
      'shop',
      (name) => `grant create on database ${place.shop.name} to ${name}; grant select, trigger on orders to ${name}`,
    );
    const outcome = await project.apply();
    expect(outcome.exit).toBe('refused');
    expect(faults(outcome)).toEqual([
      `SAR408 database shop, table public.orders: row security applies to role ${role} here: it would see or write only some of the rows`,
    ]);
  });

  test('on what another role installed', async () => {
    const place = await smallShop(ORDERS);
    await place.project.apply();
    const { project } = await asRole(
      place,
      'shop',
      (name) => `grant create on database ${place.shop.name} to ${name}; grant select, trigger on orders to ${name}`,
    );
    const outcome = await project.apply();
    expect(outcome.exit).toBe('refused');
    expect(faults(outcome)[0]).toContain('SAR407 database shop: this role may not read what an earlier apply installed');
  });
});

describe('tables that are not what the plan was compiled for:', () => {
  const changes: readonly (readonly [string, string, string])[] = [
    ['dropped', 'drop table orders', 'SAR410 database shop, table public.orders: the table does not exist'],
    [
      'a view now',
      'drop table orders; create view orders as select 1 as id, 2 as line, null::text as note',
      "SAR411 database shop, table public.orders: it is of kind 'view', but the plan was compiled for 'table'",
    ],
    ['without a column', 'alter table orders drop column note', 'SAR412 database shop, table public.orders: column note does not exist'],
    [
      'with another type',
      'alter table orders alter note type varchar(9)',
      'SAR412 database shop, table public.orders: column note is character varying(9), but the plan was compiled for text',
    ],
    [
      'without the key',
      'alter table orders drop constraint orders_pkey',
      'SAR413 database shop, table public.orders: no valid unique index stands on the key (id, line)',
    ],
  ];
  for (const [what, statement, fault] of changes) {
    test(what, async () => {
      const { shop, copy, project } = await smallShop(ORDERS);
      await shop.script(statement);
      const outcome = await project.apply();
      expect(outcome.exit).toBe('refused');
      expect(faults(outcome)).toContain(fault);
      expect(hints(outcome)).toContain('sarrio pull');
      await nothingInstalled(shop, copy);
    });
  }

  test('with a partition more or less', async () => {
    const { shop, project } = await smallShop(shopSync('public.payments'));
    await shop.script('create table payments_more partition of payments for values from (200) to (300); alter table payments detach partition payments_low');
    const outcome = await project.plan();
    expect(outcome.exit).toBe('refused');
    expect(faults(outcome)).toEqual([
      'SAR414 database shop, table public.payments: partition public.payments_more is new: what is written to it directly is not captured',
      'SAR414 database shop, table public.payments: partition public.payments_low is gone or detached',
    ]);
  });

  test('a new column that the plan does not use is no fault', async () => {
    const { shop, project } = await smallShop(ORDERS);
    await shop.script('alter table orders add column later int');
    expect((await project.apply()).exit).toBe('ok');
  });
});

describe('target tables with rows before an initial copy', () => {
  test('are refused, or replaced when the config says so', async () => {
    const { shop, copy, project } = await smallShop(ORDERS);
    await copy.query("insert into orders values (1, 1, 'mine')");
    const outcome = await project.apply();
    expect(outcome.exit).toBe('refused');
    expect(faults(outcome)).toEqual([
      'SAR415 database copy, table public.orders: the table holds rows, and sync shop would copy public.orders of shop into it',
    ]);
    await nothingInstalled(shop, copy);
    await project.compile({ shop: { mode: 'one-way', source: 'shop', targets: ['copy'], tables: ['public.orders'], existingRows: 'replace' } });
    expect((await project.apply()).exit).toBe('ok');
  });

  test('are refused too when the table joins a live sync', async () => {
    const { copy, project } = await smallShop(ORDERS);
    await project.apply();
    await copy.script(`insert into sarrio.watermark (sync, source, position${await extraColumns(copy, 'watermark')}`);
    await copy.query("insert into customers values (1, 'mine')");
    await project.compile(shopSync('public.orders', 'public.customers'));
    expect(faults(await project.apply())).toEqual([
      'SAR415 database copy, table public.customers: the table holds rows, and sync shop would copy public.customers of shop into it',
    ]);
  });
});

/** Fills what a bookkeeping row needs beside sync, source and position, whatever it is by now. */
async function extraColumns(database: TestDatabase, table: string): Promise<string> {
  const columns = await database.query<{ name: string; type: string }>(
    `select attname as name, format_type(atttypid, null) as type from pg_attribute
      where attrelid = ('sarrio.' || $1)::regclass and attnum > 0 and attnotnull and not atthasdef and attname not in ('sync', 'source', 'position')`,
    [table],
  );
  const names = columns.map(({ name }) => `, ${name}`).join('');
  const values = columns.map(({ type }) => (type === 'uuid' ? ', gen_random_uuid()' : ", '0'")).join('');
  return `${names}) values ('shop', 'shop', '0'${values})`;
}

describe('servers and connections:', () => {
  test('a transaction pooler of any size is refused', async () => {
    const { shop, copy } = await smallShop(ORDERS);
    for (const size of [1, 2, 3]) {
      const pooler = await startTransactionPooler(shop.url, { size });
      const project = await installation({ databases: { shop, copy }, syncs: ORDERS, urls: { shop: pooler.url(shop.name) } });
      const outcome = await project.apply();
      await pooler.close();
      expect(outcome.exit, `${size} backends`).toBe('invalid');
      expect(faults(outcome)[0]).toContain('SAR418 database shop: a transaction pooler stands between');
    }
    await nothingInstalled(shop, copy);
  });

  test('another project in the schema is refused', async () => {
    const { shop, copy, project } = await smallShop(ORDERS);
    await project.apply();
    const other = await installation({ databases: { shop, copy }, syncs: ORDERS, project: 'other' });
    const before = await ourObjects(shop);
    for (const outcome of [await other.apply(), await other.destroy('--confirm', 'other')]) {
      expect(outcome.exit).toBe('refused');
      expect(faults(outcome)).toContain("SAR416 database shop: schema sarrio belongs to project 'sarrio', not to 'other'");
    }
    expect(await ourObjects(shop)).toEqual(before);
  });

  test('a standby is refused', async () => {
    const { shop, project } = await smallShop(ORDERS);
    const { plan } = await project.generated();
    const found = await inspectDatabases({ plan, sessions: await project.sessions() });
    const asStandby = new Map([...found].map(([name, each]) => [name, { ...each, role: { ...each.role, inRecovery: name === 'shop' } }]));
    expect(checkDatabases(plan, found)).toEqual([]);
    expect(checkDatabases(plan, asStandby)).toMatchObject([
      { code: 'SAR406', where: 'database shop', message: 'the server is in recovery (a standby): it takes no writes' },
    ]);
    await nothingInstalled(shop);
  });

  test('an unset variable and an unreachable server are told before anything is changed', async () => {
    const { shop, copy } = await smallShop(ORDERS);
    const unset = await installation({ databases: { shop, copy }, syncs: ORDERS, urls: { copy: '' } });
    const nowhere = await installation({ databases: { shop, copy }, syncs: ORDERS, urls: { shop: 'postgres://someone:hidden-secret@127.0.0.1:1/shop' } });
    expect(await unset.apply()).toMatchObject({ exit: 'invalid', diagnostics: [{ code: 'SAR400' }] });
    const outcome = await nowhere.apply();
    expect(outcome).toMatchObject({ exit: 'failed', diagnostics: [{ code: 'SAR401' }] });
    expect(JSON.stringify(outcome)).not.toContain('hidden-secret');
    await nothingInstalled(shop, copy);
  });

  test('sessions are closed whatever happens', async () => {
    const { shop, project } = await smallShop(ORDERS);
    await shop.script('drop table orders');
    await project.apply();
    const mine = "select application_name from pg_stat_activity where datname = current_database() and application_name like 'sarrio%'";
    await waitUntil('all sessions are closed', async () => (await shop.query(mine)).length === 0);
  });
});
