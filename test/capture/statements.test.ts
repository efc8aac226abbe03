import { pipeline } from 'node:stream/promises';
import { Readable } from 'node:stream';
import { from as copyFrom } from 'pg-copy-streams';
import { describe, expect, test } from 'vitest';
import { capturing } from '../support/captured.ts';

const T = 'create table t (id integer primary key, v text, code integer unique);';

describe('one table', () => {
  test('INSERT, UPDATE, DELETE: one entry for each row', async () => {
    const { captured } = await capturing(T);
    expect(await captured("insert into t values (1, 'a')")).toEqual(['I 1']);
    expect(await captured('insert into t select g from generate_series(2, 4) g')).toEqual(['I 2', 'I 3', 'I 4']);
    expect(await captured("update t set v = 'b' where id > 2")).toEqual(['U 3', 'U 4']);
    expect(await captured('delete from t where id = 2')).toEqual(['D 2']);
    expect(await captured('update only t set v = null; delete from only t')).toEqual(['D 1', 'D 3', 'D 4', 'U 1', 'U 3', 'U 4']);
  });

  test('COPY', async () => {
    const { source, drain } = await capturing(T);
    const client = await source.connect();
    await pipeline(Readable.from(['1\ta\t1\n2\tb\t2\n']), client.query(copyFrom('copy t from stdin')));
    await client.end();
    expect(await drain()).toEqual(['I 1', 'I 2']);
  });

  test('INSERT ON CONFLICT: only rows that came or changed', async () => {
    const { captured } = await capturing(T);
    await captured("insert into t values (1, 'a', 1)");
    expect(await captured("insert into t values (1, 'b', 1), (2, 'b', 2) on conflict (id) do update set v = excluded.v")).toEqual(['I 2', 'U 1']);
    expect(await captured('insert into t values (1), (3) on conflict do nothing')).toEqual(['I 3']);
    expect(await captured("insert into t values (1) on conflict (id) do update set v = 'x' where false")).toEqual([]);
    expect(await captured('insert into t values (9, null, 1) on conflict (code) do update set id = excluded.id')).toEqual(['D 1', 'U 9']);
  });

  test('MERGE with all three actions', async () => {
    const { captured, source } = await capturing(T);
    const [version] = await source.query<{ major: number }>("select current_setting('server_version_num')::int / 10000 as major");
    if ((version?.major ?? 0) < 15) return;
    await captured('insert into t values (1), (2), (3)');
    const merge = `merge into t using (values (1, 'u'), (2, 'd'), (3, 'k'), (4, 'i')) as s (id, what) on t.id = s.id
      when matched and what = 'u' then update set v = 'x' when matched and what = 'd' then delete
      when matched and what = 'k' then update set id = 33 when not matched then insert values (s.id)`;
    expect(await captured(merge)).toEqual(['D 2', 'D 3', 'I 4', 'U 1', 'U 33']);
  });

  test('writable CTEs, also two over the same table in one statement', async () => {
    const { captured } = await capturing(T);
    await captured('insert into t values (1), (2), (3)');
    expect(await captured('with gone as (delete from t where id = 1 returning id) insert into t select id + 10 from gone')).toEqual(['D 1', 'I 11']);
    expect(await captured("with a as (update t set v = 'a' where id = 2), b as (update t set v = 'b' where id = 3) insert into t values (4), (5)")).toEqual([
      'I 4',
      'I 5',
      'U 2',
      'U 3',
    ]);
  });

  test('updatable views and rules', async () => {
    const { captured } = await capturing(
      `${T} create view w as select id, v from t where id < 100; create table r (id integer); create rule r as on insert to r do instead insert into t values (new.id);`,
    );
    expect(await captured("insert into w values (1, 'x'); update w set v = 'y'; delete from w")).toEqual(['D 1', 'I 1', 'U 1']);
    expect(await captured('insert into r values (7)')).toEqual(['I 7']);
  });

  test('TRUNCATE is one entry, and so is TRUNCATE CASCADE from a referenced table', async () => {
    const { captured } = await capturing('create table parent (id integer primary key); create table t (id integer primary key, p integer references parent);');
    await captured('insert into parent values (1); insert into t values (1, 1), (2, 1)');
    expect(await captured('truncate parent cascade')).toEqual(['T']);
    expect(await captured('insert into t values (5); truncate t; insert into t values (6)')).toEqual(['I 5', 'I 6', 'T']);
    expect(await captured('truncate only t restart identity')).toEqual(['T']);
  });

  test('foreign key actions: cascade, set null, key cascade', async () => {
    const { captured } = await capturing(`create table parent (id integer primary key);
      create table t (p integer references parent on delete cascade on update cascade, n integer, q integer references parent on delete set null, primary key (p, n));`);
    await captured('insert into parent values (1), (2), (3); insert into t values (1, 1, 2), (1, 2, 3), (3, 1, null)');
    expect(await captured('delete from parent where id = 2')).toEqual(['U 1,1']);
    expect(await captured('update parent set id = 10 where id = 1')).toEqual(['D 1,1', 'D 1,2', 'U 10,1', 'U 10,2']);
    expect(await captured('delete from parent where id = 10')).toEqual(['D 10,1', 'D 10,2']);
  });

  test('a statement that changes no row writes nothing and takes no transaction id', async () => {
    const { source, drain } = await capturing(T);
    const client = await source.connect();
    await client.query("begin; update t set v = 'x' where id = -1; delete from t where false; insert into t select 1 where false");
    expect((await client.query('select pg_current_xact_id_if_assigned() as xid')).rows).toEqual([{ xid: null }]);
    await client.query('commit');
    await client.end();
    expect(await drain()).toEqual([]);
  });

  test('session_replication_role = replica is not captured', async () => {
    const { captured } = await capturing(T);
    expect(await captured('set session_replication_role = replica; insert into t values (1); update t set id = 2; truncate t')).toEqual([]);
  });
});
