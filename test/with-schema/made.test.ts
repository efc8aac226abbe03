import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { TestDatabase } from '../support/database.ts';
import { freshDatabase } from '../support/databases.ts';
import { catalogOf, said, schemaProject } from './project.ts';

/** Nearly everything that a table may be made of. */
const RICH = `
  create schema app; create schema "Odd Names";
  create extension citext with schema app; create extension cube with schema app; create extension earthdistance with schema app;
  create type app.mood as enum ('sad', 'it''s ok', 'back\\slash');
  comment on type app.mood is 'how it goes';
  create domain app.positive as integer default 1 constraint above_zero check (value > 0);
  create type app.amount as (value numeric(12, 2), feeling app.mood, parts app.positive[]);
  create type app.span as range (subtype = numeric, multirange_type_name = app.spans);
  create collation app.folding (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
  create table app.customers (
    id bigint generated always as identity (start with 100 increment by 10) primary key,
    email app.citext not null constraint customers_email_key unique,
    name text collate "C" not null default 'no; name' check (name <> ''),
    feeling app.mood default 'sad', quota app.positive, total app.amount, reach app.span, reaches app.spans,
    folded text collate app.folding, stands app.earth,
    shouted text generated always as (upper(name)) stored,
    notes text default E'two\\nlines', unique nulls not distinct (quota, name)
  ) with (fillfactor = 70, toast.autovacuum_enabled = false);
  alter table app.customers alter notes set storage external, alter name set statistics 500, alter quota set (n_distinct = 5);
  alter table app.customers add constraint later check (id > 0) not valid;
  create index customers_lower on app.customers (lower(name) desc nulls last, quota) include (feeling) where quota > 3;
  create index customers_words on app.customers using gin (to_tsvector('english', name)) with (fastupdate = off);
  create statistics app.customers_stats (dependencies) on name, quota from app.customers;
  comment on table app.customers is E'who buys\\n-- and why'; comment on column app.customers.name is 'as they write it';
  comment on constraint customers_name_check on app.customers is 'some day'; comment on index app.customers_lower is 'for looking up';
  comment on collation app.folding is 'whatever case'; comment on statistics app.customers_stats is 'they go together';
  create sequence app.numbers as integer increment 5 start 7 cycle;
  comment on sequence app.numbers is 'by the fives'; comment on sequence app.customers_id_seq is 'of the identity';
  create table app.orders (
    id serial, number integer default nextval('app.numbers'), customer bigint not null, placed date not null default current_date,
    during tsrange, primary key (id, placed), constraint orders_customer foreign key (customer) references app.customers on delete cascade deferrable initially deferred
  ) partition by range (placed);
  create table app.orders_old (placed date not null default '2020-01-01', id integer not null default nextval('app.orders_id_seq'), number integer, customer bigint not null, during tsrange);
  alter table app.orders attach partition app.orders_old for values from (minvalue) to ('2025-01-01');
  create table app.orders_new partition of app.orders for values from ('2025-01-01') to (maxvalue) partition by hash (id);
  create table app.orders_new_0 partition of app.orders_new for values with (modulus 2, remainder 0);
  create table app.orders_new_1 partition of app.orders_new for values with (modulus 2, remainder 1);
  create index orders_customer_idx on app.orders (customer);
  create index only_old on app.orders_old (number);
  create table "Odd Names"."A.b" ("select" integer primary key, "x y" text, parent integer references "Odd Names"."A.b", exclude using gist (int4range("select", parent) with &&));
  alter table "Odd Names"."A.b" replica identity full;
  insert into app.customers (email, name, feeling, quota) select 'c' || n || '@x', 'n' || n, 'it''s ok', n from generate_series(1, 50) as n;
  insert into app.orders (customer, placed) select 100 + 10 * (n % 50), date '2024-06-01' + n from generate_series(1, 400) as n;
  insert into "Odd Names"."A.b" values (1, 'q', null);`;

/** The shared server may be one of before NULLS NOT DISTINCT. */
async function rich(): Promise<TestDatabase> {
  const source = await freshDatabase('rich');
  const [version] = await source.query<{ major: number }>("select current_setting('server_version_num')::int / 10000 as major");
  await source.script((version?.major ?? 0) < 15 ? RICH.replace('nulls not distinct ', '') : RICH);
  return source;
}

test('an empty target gets the tables of its source, once, and the copy that follows is equal', async () => {
  const [shop, copy] = [await rich(), await freshDatabase('made')];
  const syncs = { shop: { mode: 'one-way', source: 'shop', targets: ['copy'], tables: ['app.*', 'Odd Names.*'] } } as const;
  const project = await schemaProject({ shop, copy }, syncs);
  const pulled = await project.verb('pull', '--with-schema');
  expect(said(pulled)).toEqual([expect.stringMatching(/^SAR448 database copy: app.customers is made without constraint later: .* not valid/)]);
  expect(pulled.text).toContain('copy lacks 1 collation, 4 types, 2 sequences, 7 tables: wrote generated/schema/copy.sql');
  expect((await project.verb('compile')).diagnostics[0]).toMatchObject({ code: 'SAR213', hint: expect.stringContaining('--with-schema') });
  expect(await project.verb('plan', '--with-schema', '--exit-code')).toMatchObject({
    exit: 'differs',
    text: expect.stringContaining('  + table app.orders_new_0'),
  });
  expect((await project.verb('apply', '--with-schema')).text).toContain('copy: made 1 collation, 4 types, 2 sequences, 7 tables');
  const wanted = (await catalogOf(shop, ['app', 'Odd Names'])).filter((line) => !/^constraint .* later /.test(line));
  expect(await catalogOf(copy, ['app', 'Odd Names'])).toEqual(wanted);
  expect((await project.verb('apply', '--with-schema')).text).toContain('copy: nothing to make');
  expect(await project.verb('plan', '--with-schema', '--exit-code')).toMatchObject({ exit: 'ok' });

  expect(await project.verb('pull', '--with-schema')).toMatchObject({
    exit: 'ok',
    diagnostics: [],
    text: expect.stringContaining('No database lacks a table'),
  });
  expect((await project.verb('apply', '--with-schema')).text).toContain('Nothing to make');
  const { databases } = JSON.parse(await readFile(join(project.dir, 'generated/schema.lock.json'), 'utf8')) as { databases: Record<string, unknown> };
  expect(databases['copy']).toEqual(databases['shop']);
  for (const [name, ...args] of [['compile'], ['apply'], ['run', '--until-caught-up'], ['verify']] as const) {
    const outcome = await project.verb(name, ...args);
    expect({ name, exit: outcome.exit, said: outcome.diagnostics.filter(({ severity }) => severity === 'error') }).toEqual({ name, exit: 'ok', said: [] });
  }
  expect(await copy.query('select count(*)::int as rows from app.orders')).toEqual([{ rows: 400 }]);
});

test('what does not flow is left out by name, and names and computed columns are those of the target', async () => {
  const [shop, copy] = [await freshDatabase('narrow'), await freshDatabase('narrowed')];
  await shop.script(`
    create table customers (id integer primary key, email text not null unique, secret text, a integer, b integer, total integer generated always as (a + b) stored);
    create index by_secret on customers (secret);
    create index by_a on customers (a, (b + 1));
    alter table customers add check (a < b), add check (secret <> '');
    create table orders (id integer primary key, customer integer references customers, kind text);
    create table items (id integer primary key, "order" integer constraint of_order references orders, customer integer references customers (id));
    create domain small as integer; alter domain small add constraint not_yet check (value < 9) not valid;
    create table people (id integer primary key, a small, b integer);`);
  const columns = { omit: ['secret'], rename: { a: 'b', b: 'a', id: 'number' }, compute: { mail: "email || '!'" } };
  const tables = [
    { table: 'public.customers', rename: 'archive.clients', columns },
    { table: 'public.orders', where: "kind <> 'draft'" },
    'public.items',
    { table: 'public.people', columns: { pick: ['id', 'a'] } },
  ];
  const project = await schemaProject({ shop, copy }, { shop: { mode: 'one-way', source: 'shop', targets: ['copy'], tables } });
  expect(said(await project.verb('pull', '--with-schema'))).toEqual([
    'SAR448 database copy: domain public.small is made without the check not_yet: it is not valid, and values of before it might not satisfy it',
    expect.stringContaining('archive.clients is made without constraint customers_secret_check, index by_secret: '),
    'SAR448 database copy: public.items is made without the foreign key of_order: only some rows of public.orders go to this database',
  ]);
  expect(await project.verb('apply', '--with-schema')).toMatchObject({ exit: 'ok' });
  expect(await catalogOf(copy, ['archive', 'public'])).toEqual(
    expect.arrayContaining([
      expect.stringContaining('column archive.clients mail text f'),
      expect.stringContaining('constraint archive.archive.clients customers_check CHECK ((b < a))'),
      expect.stringContaining('CREATE INDEX by_a ON archive.clients USING btree (b, ((a + 1)))'),
      expect.stringContaining('constraint public.orders orders_customer_fkey FOREIGN KEY (customer) REFERENCES archive.clients(number)'),
      expect.stringContaining('constraint public.items items_customer_fkey FOREIGN KEY (customer) REFERENCES archive.clients(number)'),
    ]),
  );
  expect(await copy.query('select * from people')).toEqual([]);
  for (const name of ['pull', 'compile'] as const) expect(said(await project.verb(name, ...(name === 'pull' ? ['--with-schema'] : [])))).toEqual([]);
});

test('a second master gets what it lacks, and what differs there is named and stays', async () => {
  const [east, west] = [await freshDatabase('east'), await freshDatabase('west')];
  const schema = 'create table a (id integer primary key, note text); create index a_note on a (note);';
  await east.script(`${schema} create table b (id bigint generated by default as identity primary key, a integer references a);`);
  await west.script('create table a (id integer primary key, note varchar(20));');
  const project = await schemaProject({ east, west }, { both: { mode: 'multi-master', members: ['east', 'west'], tables: ['public.*'], onConflict: 'skip' } });
  const pulled = await project.verb('pull', '--with-schema');
  expect(said(pulled)).toEqual([
    'SAR444 database west: public.a is there and stays as it is, although it differs from public.a of east: ' +
      'column note character varying(20) would be note text; index a_note, CREATE INDEX a_note ON public.a USING btree (note), is missing',
  ]);
  const before = await catalogOf(west, ['public']);
  expect((await project.verb('apply', '--with-schema')).text).toContain('west: made 1 table');
  expect(await catalogOf(west, ['public'])).toEqual(expect.arrayContaining([...before]));
  expect(await catalogOf(west, ['public'])).toContainEqual(expect.stringContaining('b_a_fkey FOREIGN KEY (a) REFERENCES a(id)'));
});

test('a full copy of a view gets a table with its columns', async () => {
  const [shop, copy] = [await freshDatabase('viewed'), await freshDatabase('tabled')];
  await shop.script('create table a (id integer primary key, name text collate "C" not null); create view lists as select id, name, now() as seen from a');
  await shop.script("insert into a values (1, 'x')");
  const project = await schemaProject({ shop, copy }, { lists: { mode: 'full-copy', source: 'shop', targets: ['copy'], tables: ['public.lists'] } });
  expect(said(await project.verb('pull', '--with-schema'))).toEqual([]);
  expect(await project.verb('apply', '--with-schema')).toMatchObject({ exit: 'ok' });
  for (const name of ['pull', 'compile', 'apply'] as const) expect(await project.verb(name)).toMatchObject({ exit: 'ok' });
  expect(
    await copy.query("select attname, format_type(atttypid, atttypmod) as type from pg_attribute where attrelid = 'lists'::regclass and attnum > 0"),
  ).toEqual([
    { attname: 'id', type: 'integer' },
    { attname: 'name', type: 'text' },
    { attname: 'seen', type: 'timestamp with time zone' },
  ]);
});
