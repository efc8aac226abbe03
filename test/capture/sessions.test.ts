import { expect, onTestFinished, test } from 'vitest';
import { capturing } from '../support/captured.ts';
import { freshDatabase } from '../support/databases.ts';
import { installation } from '../support/installation.ts';

const T = 'create table t (id integer primary key, v text);';

test('what a savepoint or an exception undid leaves nothing, and the rest has the id of the top-level transaction', async () => {
  const { source } = await capturing(T);
  const client = await source.connect();
  await client.query('begin; insert into t values (1); savepoint a; insert into t values (2); rollback to a; savepoint b; insert into t values (3); release b');
  await client.query(`do $$ begin
    begin insert into t values (4); raise exception 'no'; exception when others then insert into t values (5); end;
  end $$`);
  const { rows } = await client.query('select pg_current_xact_id()::text as xid');
  await client.query('commit');
  await client.end();
  const entries = await source.query('select id, change_xid::text as xid from sarrio.delta_public_t order by id');
  expect(entries).toEqual([1, 3, 5].map((id) => ({ id, xid: rows[0]?.xid })));
});

test('nothing in the search path of the application can change what is captured', async () => {
  const { source, drain } = await capturing(T);
  await source.script(`create schema evil;
    create function evil.pg_current_xact_id() returns xid8 language sql as 'select ''1''::xid8';
    create function evil.clock_timestamp() returns timestamptz language sql as 'select ''-infinity''::timestamptz';
    create function evil."left"(text, integer) returns text language sql as 'select ''X''';
    create function evil.pg_sequence_last_value(regclass) returns bigint language sql as 'select 99::bigint';
    create function evil.yes(bigint, integer) returns boolean language sql as 'select true';
    create function evil.no(integer, integer) returns boolean language sql as 'select false';
    create operator evil.= (leftarg = bigint, rightarg = integer, function = evil.yes);
    create operator evil.= (leftarg = integer, rightarg = integer, function = evil.no);
    create domain evil.int8 as text; create type evil."char" as enum ('?'); create type evil.regclass as enum ('?');`);
  const client = await source.connect();
  await client.query(`set search_path = evil, pg_catalog, public; create temp table delta_public_t (id text); create temp table segment1_public_t (id text);
    create temp table changed_rows (id integer); create temp table changed (id integer); insert into changed_rows values (666);`);
  await client.query(
    'insert into public.t values (1), (2); update public.t set id = 3 where id operator(pg_catalog.=) 1; delete from public.t where id operator(pg_catalog.=) 2',
  );
  await client.end();
  expect(
    (await source.query("select count(*)::int as n from sarrio.delta_public_t where change_at > now() - interval '1 hour' and change_xid > '3'"))[0],
  ).toEqual({ n: 5 });
  expect(await drain()).toEqual(['D 1', 'D 2', 'I 1', 'I 2', 'U 3']);
});

test('an application without rights on schema sarrio, over a table of another role', async () => {
  const { source, drain } = await capturing(T);
  const [owner, app] = [`owner_${source.name}`, `app_${source.name}`];
  await source.script(
    `create role ${owner}; create role ${app}; alter table t owner to ${owner}; grant all on t to ${app}; revoke all on schema sarrio from public;`,
  );
  onTestFinished(() => source.script(`alter table t owner to current_user; drop owned by ${owner}, ${app}; drop role ${owner}; drop role ${app}`));
  const client = await source.connect();
  await client.query(`set role ${app}; insert into t values (1); update t set id = 2; truncate t`);
  await expect(client.query('select from sarrio.delta_public_t')).rejects.toThrow(/permission denied/);
  await expect(client.query('select sarrio.capture_public_t()')).rejects.toThrow(/permission denied/);
  await client.query(`set role ${owner}; insert into t values (3)`);
  await client.end();
  expect(await drain()).toEqual(['D 1', 'I 1', 'I 3', 'T', 'U 2']);
});

test('a role of the application cannot use our functions in triggers of its own', async () => {
  const { source } = await capturing(T);
  const app = `app_${source.name}`;
  await source.script(`create role ${app}; grant create on schema public to ${app}; grant usage on schema sarrio to ${app}`);
  onTestFinished(() => source.script(`drop owned by ${app}; drop role ${app}`));
  const client = await source.connect();
  await client.query(`set role ${app}; create table mine (id integer)`);
  await expect(
    client.query('create trigger x after insert on mine referencing new table as changed_rows for each statement execute function sarrio.capture_public_t()'),
  ).rejects.toThrow(/permission denied/);
  await client.end();
});

test('two syncs over one table: captured once', async () => {
  const [source, one, two] = [await freshDatabase('source'), await freshDatabase('one'), await freshDatabase('two')];
  for (const database of [source, one, two]) await database.script(T);
  const sync = (target: string) => ({ mode: 'one-way', source: 'source', targets: [target], tables: ['public.t'] }) as const;
  const project = await installation({ databases: { source, one, two }, syncs: { first: sync('one'), second: sync('two') } });
  expect((await project.apply()).diagnostics).toEqual([]);
  await source.query('select setval($1, 2), setval($2, 2)', ['sarrio.wake_first', 'sarrio.wake_second']);
  await source.query('insert into t values (1)');
  expect(await source.query('select id, change_op::text as op from sarrio.delta_public_t')).toEqual([{ id: 1, op: 'I' }]);
  const flags = await source.query(
    'select (select last_value::int from sarrio.wake_first) as first, (select last_value::int from sarrio.wake_second) as second',
  );
  expect(flags).toEqual([{ first: 3, second: 3 }]);
});

test.each(['commit', 'rollback'])('a transaction prepared while the runner sleeps, then: %s prepared', async (end) => {
  const { source, drain } = await capturing(T);
  await source.query("select setval('sarrio.wake_s', 2)");
  const client = await source.connect();
  await client.query(`begin; insert into t values (1); prepare transaction '${source.name}'`);
  expect(await source.query('select last_value::int as flag from sarrio.wake_s')).toEqual([{ flag: 3 }]);
  await client.query(`${end} prepared '${source.name}'`);
  await client.end();
  expect(await drain()).toEqual(end === 'commit' ? ['I 1'] : []);
});

test('the segment that is written follows the sequence, also within a session that wrote before', async () => {
  const { source } = await capturing(T);
  const client = await source.connect();
  for (const segment of [1, 2, 3, 1]) {
    await client.query("select setval('sarrio.current_public_t', $1::bigint)", [segment]);
    await client.query('insert into t select coalesce(max(id), 0) + 1 from t');
  }
  await client.query('truncate t');
  await client.end();
  const rows = await source.query("select string_agg(change_segment::text, '' order by id) as segments from sarrio.delta_public_t");
  expect(rows).toEqual([{ segments: '12311' }]);
});
