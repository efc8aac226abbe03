import { describe, expect, test } from 'vitest';
import type { TableConfig } from '../../src/index.ts';
import { differingRows, type Compared } from '../support/compare.ts';
import type { TestDatabase } from '../support/database.ts';
import { freshDatabase } from '../support/databases.ts';
import { catchUp, follow, onAll, paths } from '../support/follow.ts';
import { installation } from '../support/installation.ts';
import { waitUntil } from '../support/wait.ts';

type Pair = { readonly source: TestDatabase; readonly target: TestDatabase };

/** Source and target with the same tables, applied. */
async function pair(schema: string, options: { tables?: readonly (string | TableConfig)[]; targetSchema?: string } = {}) {
  const [source, target] = [await freshDatabase('source'), await freshDatabase('target')];
  await source.script(schema);
  await target.script(options.targetSchema ?? schema);
  const project = await installation({
    databases: { source, target },
    syncs: { s: { mode: 'one-way', source: 'source', targets: ['target'], tables: options.tables ?? ['public.*'] } },
  });
  expect((await project.apply()).diagnostics).toEqual([]);
  return { source, target, project };
}

async function expectEqual({ source, target }: Pair, ...tables: readonly Compared[]): Promise<void> {
  const qualified = tables.map((table) => (typeof table === 'string' ? `public.${table}` : table));
  expect(await differingRows(source, target, ...qualified)).toEqual([]);
}

const ITEMS = 'create table items (id integer primary key, code integer unique, body text);';

describe('a round', () => {
  test('copies first, then brings few rows without COPY', async () => {
    const { source, target, project } = await pair(ITEMS);
    await source.query("insert into items select g, g, 'row ' || g from generate_series(1, 1000) g");
    await catchUp(project);
    await expectEqual({ source, target }, 'items');
    await source.script("update items set body = 'x' where id < 10; delete from items where id between 20 and 30; insert into items values (2000, 2000, null)");
    expect(paths(await catchUp(project))).toEqual(['few-rows']);
    await expectEqual({ source, target }, 'items');
  });

  test('stages many changes: inserts, updates, deletes, and keys that change', async () => {
    const { source, target, project } = await pair(ITEMS);
    await catchUp(project);
    await source.query("insert into items select g, g, 'row ' || g from generate_series(1, 5000) g");
    expect(paths(await catchUp(project))).toEqual(['staged']);
    await source.script("update items set body = 'u' where id % 2 = 0; delete from items where id % 7 = 0; update items set id = id + 100000 where id % 5 = 0");
    expect(paths(await catchUp(project))).toEqual(['staged']);
    await expectEqual({ source, target }, 'items');
    await source.query('update items set id = id + 1000000');
    await catchUp(project);
    await expectEqual({ source, target }, 'items');
  });

  test.each([[4], [2000]])('swaps and shifts unique values of %i rows', async (rows) => {
    const { source, target, project } = await pair(ITEMS.replace('unique', 'unique deferrable'), { targetSchema: ITEMS });
    await source.query('insert into items select g, g, null from generate_series(1, $1) g', [rows]);
    await catchUp(project);
    await source.query('begin; set constraints all deferred; update items set code = code + 1; commit');
    await source.query('begin; set constraints all deferred; update items set code = 5 - code where code in (2, 3); commit');
    await catchUp(project);
    await expectEqual({ source, target }, 'items');
  });

  test('goes on by the general path when the target already holds an inserted row', async () => {
    const { source, target, project } = await pair(ITEMS);
    await catchUp(project);
    await target.query("insert into items values (7, 7, 'stray')");
    await source.query("insert into items select g, g, 'row' from generate_series(1, 1000) g");
    await catchUp(project);
    await expectEqual({ source, target }, 'items');
  });

  test('refreshes a table that was truncated, with rows before and after in the same transaction', async () => {
    const { source, target, project } = await pair(`${ITEMS} create table other (id integer primary key);`);
    await source.script('insert into items select g, g, null from generate_series(1, 500) g; insert into other values (1)');
    await catchUp(project);
    await source.query(
      "begin; insert into items values (9000, 9000, 'before'); truncate items; insert into items values (1, 1, 'after'); insert into other values (2); commit",
    );
    await catchUp(project);
    await expectEqual({ source, target }, 'items', 'other');
  });

  test('loses nothing of a transaction that stays open over other rounds', async () => {
    const { source, target, project } = await pair(ITEMS);
    await catchUp(project);
    const slow = await source.connect();
    await slow.query("begin; insert into items values (1, 1, 'early'); savepoint a; insert into items values (2, 2, 'undone'); rollback to a");
    for (const id of [10, 11, 12]) {
      await source.query('insert into items values ($1, $1, null)', [id]);
      await catchUp(project);
    }
    await slow.query("insert into items values (3, 3, 'late'); commit");
    await slow.end();
    await catchUp(project);
    await expectEqual({ source, target }, 'items');
    expect(await target.query('select count(*)::int as n from items')).toEqual([{ n: 5 }]);
  });

  test('writes generated and identity columns, other column orders and extra columns', async () => {
    const { source, target, project } = await pair(
      'create table t (id bigint generated always as identity primary key, a integer, dropped text, twice integer generated always as (a * 2) stored, n bigint generated always as identity); alter table t drop column dropped;',
      {
        targetSchema:
          "create table t (n bigint generated always as identity, twice integer generated always as (a * 2) stored, a integer, id bigint generated always as identity primary key, extra text default 'd')",
      },
    );
    await source.query('insert into t (a) select g from generate_series(1, 300) g');
    await catchUp(project);
    await source.query('update t set a = a + 1 where id < 10');
    await catchUp(project);
    await source.query('update t set a = a + 1');
    await catchUp(project);
    await expectEqual({ source, target }, { source: 'public.t', columns: { id: 'id', a: 'a', twice: 'twice', n: 'n', extra: "'d'" } });
  });

  test('filters rows, picks, renames and computes columns, and renames the table', async () => {
    const { source, target, project } = await pair(
      'create table people (id integer primary key, email text, secret text, active boolean not null default true, plan text)',
      {
        targetSchema: 'create table "Kunden" (id integer primary key, mail text, domain text, plan text)',
        tables: [
          {
            table: 'public.people',
            rename: 'public.Kunden',
            where: 'active -- only these',
            columns: { omit: ['secret', 'active'], rename: { email: 'mail' }, compute: { domain: "split_part(email, '@', 2)" } },
          },
        ],
      },
    );
    const compared = {
      source: 'public.people',
      target: 'public."Kunden"',
      where: 'active',
      columns: { id: 'id', mail: 'email', domain: "split_part(email, '@', 2)", plan: 'plan' },
    };
    await source.query("insert into people select g, g || '@example.com', 'x', g % 2 = 0, 'p' from generate_series(1, 1000) g");
    await catchUp(project);
    await expectEqual({ source, target }, compared);
    await source.query('update people set active = not active where id <= 20');
    await catchUp(project);
    await expectEqual({ source, target }, compared);
    await source.query("update people set active = not active, email = 'n' || email");
    await catchUp(project);
    await expectEqual({ source, target }, compared);
  });

  test.each([
    ['few rows', 5],
    ['staged', 400],
  ])('carries values exactly (%s)', async (_, rows) => {
    const schema = `create type mood as enum ('sad', 'it''s ok'); create domain posint as integer check (value > 0); create type pt as (x integer, y text);
      create table v (id integer primary key, n numeric, f double precision, r real, ts timestamptz, d date, iv interval, b bytea, j json, jb jsonb, bits bit(5), c char(6),
        m mood, ma mood[], p posint, co pt, i inet, rg int4range, mr nummultirange, arr text[], "q" "char", u uuid, mo money, vc varchar(30), pnt point, x xid8);`;
    const { source, target, project } = await pair(schema);
    await catchUp(project);
    await source.query(`insert into v select g, v.* from generate_series(1, ${rows}) g, (values
      ('NaN'::numeric, '-0'::float8, 'NaN'::real, 'infinity'::timestamptz, '4713-01-01 BC'::date, '1 year 2 mons -3 days 04:05:06.789'::interval, '\\x00ff27'::bytea,
       '{"b": 1, "a":  12345678901234567890.10}'::json, '{"n": 12345678901234567890.10}'::jsonb, '10101'::bit(5), 'ab'::char(6), 'it''s ok'::mood, '{sad,NULL,"it''s ok"}'::mood[],
       5::posint, '(1,"a ""q"" , b")'::pt, '10.0.0.1/8'::inet, '[1,5)'::int4range, '{[1.5,2]}'::nummultirange, '[2:3]={"a,b",NULL}'::text[], 'z'::"char",
       'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid, '1234.56'::money, E'\\u00e9\\U0001F600 \\\\ "x"\\n', '(1.5,-2)'::point, '42'::xid8)) v`);
    await source.query(
      "update v set n = 1.500, ts = '0044-03-15 12:00:00.123456 BC' where id = 1; update v set n = null, j = 'null', jb = 'null', arr = '{}' where id = 2",
    );
    await catchUp(project);
    await expectEqual({ source, target }, 'v');
    await source.query('update v set id = id + 1000');
    await catchUp(project);
    await expectEqual({ source, target }, 'v');
  });

  test('follows a partitioned table: parent, partition, a row that moves', async () => {
    const plain = 'create table p (k integer, id integer, body text, primary key (k, id));';
    const { source, target, project } = await pair(
      `${plain.replace(';', ' partition by range (k);')} create table p1 partition of p for values from (0) to (10); create table p2 partition of p for values from (10) to (20);`,
      { targetSchema: plain, tables: ['public.p'] },
    );
    await source.script("insert into p select g % 20, g, 'x' from generate_series(1, 400) g");
    await catchUp(project);
    await source.script(
      "insert into p1 values (3, 9001, 'direct'); update p set k = 19 - k where id < 50; delete from p2 where id % 3 = 0; update p1 set id = id + 20000 where id > 300",
    );
    await catchUp(project);
    await expectEqual({ source, target }, 'p');
    await source.query('truncate p1');
    await catchUp(project);
    await expectEqual({ source, target }, 'p');
  });

  test('follows an inheritance hierarchy through statements on the parent', async () => {
    const { source, target, project } = await pair('create table a (id integer primary key, v text); create table b (w text, primary key (id)) inherits (a);');
    await source.script("insert into a values (1, 'a'); insert into b values (2, 'b', 'w')");
    await catchUp(project);
    await source.script("update a set v = 'changed'; delete from a where id = 2; insert into b values (3, 'x', 'y')");
    await catchUp(project);
    await expectEqual({ source, target }, { source: 'only public.a', target: 'only public.a', columns: { id: 'id', v: 'v' } }, 'b');
  });

  test('sees rows as they are when a BEFORE trigger changes the key', async () => {
    const schema = `${ITEMS} create function shift() returns trigger language plpgsql as 'begin new.id := new.id + 1000; return new; end';`;
    const { source, target, project } = await pair(`${schema} create trigger shift before update on items for each row execute function shift();`, {
      targetSchema: schema,
    });
    await source.query("insert into items select g, g, 'x' from generate_series(1, 10) g");
    await catchUp(project);
    await source.query("update items set body = 'y' where id < 5");
    await catchUp(project);
    await expectEqual({ source, target }, 'items');
  });

  test('wakes at once, without the safety poll, and with prepared transactions', async () => {
    const { source, target, project } = await pair(ITEMS);
    const following = follow(project);
    await waitUntil('caught up', () => following.events.some(({ kind }) => kind === 'caught-up'));
    await waitUntil('armed', async () => (await source.query('select last_value::int as flag from sarrio.wake_s'))[0]?.['flag'] === 2);
    const client = await source.connect();
    await client.query("begin; insert into items values (1, 1, 'two-phase'); prepare transaction 'x'");
    await client.query("commit prepared 'x'");
    await waitUntil('the row is there', async () => (await target.query('select from items')).length === 1, { timeoutMs: 1_500 });
    await client.end();
    await following.stop();
  });
});

describe('several syncs and targets', () => {
  test('cascades over a middle database, with truncate', async () => {
    const [a, b, c] = [await freshDatabase('a'), await freshDatabase('b'), await freshDatabase('c')];
    await onAll([a, b, c], ITEMS);
    const hop = (source: string, target: string) => ({ mode: 'one-way', source, targets: [target], tables: ['public.items'] }) as const;
    const project = await installation({ databases: { a, b, c }, syncs: { first: hop('a', 'b'), second: hop('b', 'c') } });
    expect((await project.apply()).diagnostics).toEqual([]);
    const arrived = async (): Promise<void> => {
      await catchUp(project);
      await catchUp(project);
      expect(await differingRows(a, c, 'public.items')).toEqual([]);
    };
    await a.query("insert into items select g, g, 'x' from generate_series(1, 1000) g");
    await arrived();
    await a.script("update items set body = 'y' where id < 5; delete from items where id = 9");
    await arrived();
    await a.query("update items set body = 'z'");
    await arrived();
    await a.script('truncate items; insert into items values (1, 1, null)');
    await arrived();
  });

  test('two targets follow one source, and a table and a target join a live sync while writers write', async () => {
    const [source, one, two] = [await freshDatabase('source'), await freshDatabase('one'), await freshDatabase('two')];
    await onAll([source, one, two], `${ITEMS} create table later (id bigserial primary key, v integer);`);
    const sync = (targets: readonly string[], tables: readonly string[]) => ({ s: { mode: 'one-way', source: 'source', targets, tables } as const });
    const project = await installation({ databases: { source, one, two }, syncs: sync(['one'], ['public.items']) });
    await project.apply();
    await source.query("insert into items select g, g, 'x' from generate_series(1, 20000) g");
    const writing = { on: true };
    const writer = async (seed: number): Promise<void> => {
      for (let turn = 0; writing.on; turn += 1) {
        await source.query('update items set body = $1 where id = $2', [`${seed}.${turn}`, 1 + ((turn * 37 + seed) % 20000)]);
        await source.query('insert into later (v) values ($1)', [turn]);
      }
    };
    const writers = [1, 2, 3].map(writer);
    const before = follow(project);
    await waitUntil('rounds go on', () => before.events.filter(({ kind }) => kind === 'round').length > 5);
    await before.stop();
    await project.compile(sync(['one', 'two'], ['public.items', 'public.later']));
    expect((await project.apply()).diagnostics).toEqual([]);
    const after = follow(project);
    const copied = () => after.events.flatMap((event) => (event.kind === 'copy-finished' ? [`${event.stream.target} ${event.table}`] : [])).sort();
    await waitUntil('all is copied', () => copied().length === 3);
    expect(copied()).toEqual(['one public.later', 'two public.items', 'two public.later']);
    await waitUntil('rounds go on', () => after.events.filter(({ kind }) => kind === 'round').length > 10);
    await after.stop();
    writing.on = false;
    await Promise.all(writers);
    await catchUp(project);
    expect(await differingRows(source, one, 'public.items', 'public.later')).toEqual([]);
    expect(await differingRows(source, two, 'public.items', 'public.later')).toEqual([]);
  });

  test('refuses rows before the initial copy, and a stream registered anew copies again', async () => {
    const { source, target, project } = await pair(ITEMS);
    await target.query("insert into items values (1, 1, 'mine')");
    await source.query("insert into items values (2, 2, 'theirs')");
    await expect(catchUp(project)).rejects.toThrow(/SAR601/);
    expect(await target.query('select id from items')).toEqual([{ id: 1 }]);
    await source.query('update sarrio.acknowledged set registration = gen_random_uuid(), position = null, replace_rows = true');
    await catchUp(project);
    await expectEqual({ source, target }, 'items');
  });
});
