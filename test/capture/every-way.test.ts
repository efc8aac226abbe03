import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { from as copyFrom } from 'pg-copy-streams';
import { test } from 'vitest';
import type { TestDatabase } from '../support/database.ts';
import { defaultMajor } from '../support/server.ts';
import { goEveryWay, type Way } from '../support/ways.ts';

/** Each way: statements in, delta rows out, and replicated while a runner follows. */
const way = (title: string, table: string, run: Way['run'], ...leaves: readonly string[]): Way => ({ title, table, run, leaves });

const T = 'create table t (id integer primary key, v text, code integer unique);';

const copyIn =
  (command: string, ...lines: readonly string[]) =>
  async (source: TestDatabase): Promise<void> => {
    const client = await source.connect();
    await pipeline(Readable.from(lines.map((line) => `${line}\n`)), client.query(copyFrom(command)));
    await client.end();
  };

test('statements: INSERT, COPY, UPDATE, DELETE, ON CONFLICT, MERGE, writable CTEs, cursors', async () => {
  const merge = `delete from t where id = 4; merge into t using (values (1, 'u'), (2, 'd'), (3, 'k'), (4, 'i')) as s (id, what) on t.id = s.id
    when matched and what = 'u' then update set v = 'x' when matched and what = 'd' then delete
    when matched and what = 'k' then update set id = 33 when not matched then insert values (s.id)`;
  await goEveryWay(
    T,
    [
      way('INSERT', 't', "insert into t values (1, 'a', 1), (2, 'b', 2); insert into t select g from generate_series(3, 4) g", 'I 1', 'I 2', 'I 3', 'I 4'),
      way('COPY', 't', copyIn('copy t (id, v) from stdin', '5\ta', '6\tb'), 'I 5', 'I 6'),
      way('COPY with a filter', 't', copyIn('copy t (id, v) from stdin where id > 7', '7\ta', '8\tb'), 'I 8'),
      way('UPDATE', 't', "update t set v = 'u' where id > 6; update only t set v = null where id = 1", 'U 1', 'U 8'),
      way('UPDATE FROM another table', 't', "update t set v = s.v from (values (5, 'from')) as s (id, v) where s.id = t.id", 'U 5'),
      way('UPDATE of the key', 't', 'update t set id = id + 100 where id in (5, 6)', 'D 5', 'D 6', 'U 105', 'U 106'),
      way('DELETE, DELETE USING', 't', 'delete from t where id = 8; delete from t using (values (105)) as s (id) where s.id = t.id', 'D 105', 'D 8'),
      way(
        'DELETE and INSERT of one key in a transaction',
        't',
        "begin; delete from t where id = 106; insert into t values (106, 'again'); commit",
        'D 106',
        'I 106',
      ),
      way('ON CONFLICT DO UPDATE', 't', "insert into t values (1, 'c', 1), (9, 'c', 9) on conflict (id) do update set v = excluded.v", 'I 9', 'U 1'),
      way(
        'ON CONFLICT of another column that changes the key',
        't',
        'insert into t values (90, null, 9) on conflict (code) do update set id = 91',
        'D 9',
        'U 91',
      ),
      way('ON CONFLICT DO NOTHING', 't', 'insert into t values (1), (10) on conflict do nothing', 'I 10'),
      ...(defaultMajor() >= 15 ? [way('MERGE', 't', merge, 'D 2', 'D 3', 'D 4', 'I 4', 'U 1', 'U 33')] : []),
      way(
        'writable CTEs',
        't',
        "with gone as (delete from t where id = 10 returning id), a as (update t set v = 'a' where id = 1) insert into t select id + 1 from gone",
        'D 10',
        'I 11',
        'U 1',
      ),
      way(
        'a cursor',
        't',
        "begin; declare c cursor for select from t where id in (1, 11) order by id for update; fetch c; update t set v = 'c' where current of c; fetch c; delete from t where current of c; commit",
        'D 11',
        'U 1',
      ),
      way('locks and selects leave nothing', 't', 'begin; select from t for update; lock table t in exclusive mode; commit'),
      way('what changes no row leaves nothing', 't', 'update t set v = v where false; delete from t where id = -1; insert into t select 1 where false'),
      way('an UPDATE to the same values is a change', 't', 'update t set id = id, v = v where id = 1', 'U 1'),
    ],
    ['public.t'],
  );
}, 120_000);

test('views, INSTEAD OF triggers, rules, and triggers that change, add and suppress rows', async () => {
  await goEveryWay(
    `${T} create view v as select id, v from t where id < 100 with check option;
    create view joined as select t.id, t.v, u.w from t join (values (1, 'w')) as u (id, w) using (id);
    create function put() returns trigger language plpgsql as 'begin insert into public.t values (new.id, new.v); return new; end';
    create trigger put instead of insert on joined for each row execute function put();
    create table inbox (id integer primary key); create rule r as on insert to inbox do instead insert into t values (new.id, 'by rule');
    create table ruled (id integer primary key, gone boolean default false); create rule keep as on delete to ruled do instead update ruled set gone = true where id = old.id;
    create table b (id integer primary key, v text);
    create function before() returns trigger language plpgsql as 'begin
      if tg_op = ''DELETE'' then return case when old.v = ''keep'' then null else old end; end if;
      if new.v = ''suppress'' then return null; end if;
      if new.v = ''key'' then new.id := new.id + 1000; end if;
      new.v := upper(new.v); return new; end';
    create trigger before before insert or update or delete on b for each row execute function before();
    create table a (id integer primary key, v text); create table log (id bigserial primary key, what text);
    create function after() returns trigger language plpgsql as 'begin
      insert into public.log (what) values (tg_op || new.id); if new.id < 5 then update public.a set v = ''more'' where id = new.id + 100; end if; return null; end';
    create trigger z_after after insert or update on a for each row execute function after();`,
    [
      way(
        'an updatable view',
        't',
        "insert into v values (1, 'x'), (2, 'x'); update v set v = 'y' where id = 1; delete from v where id = 2",
        'D 2',
        'I 1',
        'I 2',
        'U 1',
      ),
      way('a key changed through a view', 't', 'update v set id = 3', 'D 1', 'U 3'),
      way('an INSTEAD OF trigger', 't', "insert into joined values (7, 'instead', 'w')", 'I 7'),
      way('a rule on another table', 't', 'insert into inbox values (8)', 'I 8'),
      way('a rule that turns DELETE into UPDATE', 'ruled', 'insert into ruled values (1), (2); delete from ruled where id = 1', 'I 1', 'I 2', 'U 1'),
      way('BEFORE changes the row', 'b', "insert into b values (1, 'x'), (2, 'x')", 'I 1', 'I 2'),
      way('BEFORE changes the key', 'b', "insert into b values (3, 'key'); update b set v = 'key' where id = 1", 'D 1', 'I 1003', 'U 1001'),
      way('BEFORE suppresses', 'b', "insert into b values (4, 'suppress'), (5, 'x'); update b set v = 'suppress' where id = 2", 'I 5'),
      way(
        'BEFORE suppresses a DELETE',
        'b',
        "alter table b disable trigger before; update b set v = 'keep' where id = 5; alter table b enable trigger before; delete from b where id in (2, 5)",
        'D 2',
        'U 5',
      ),
      way('AFTER writes more', 'a', 'insert into a values (101, null); insert into a values (1, null)', 'I 1', 'I 101', 'U 101'),
      way('AFTER writes into another table', 'log', 'insert into a values (50, null)', 'I 4'),
    ],
    ['public.t', 'public.ruled', 'public.b', 'public.a', 'public.log'],
  );
}, 120_000);

test('foreign keys: CASCADE, SET NULL, SET DEFAULT, key updates, and a self reference', async () => {
  await goEveryWay(
    `create table parent (id integer primary key);
    create table cascaded (p integer references parent on delete cascade on update cascade, n integer, primary key (p, n));
    create table nulled (id integer primary key, p integer references parent on delete set null on update set null);
    create table defaulted (id integer primary key, p integer default 0 references parent on delete set default on update set default);
    create table tree (id integer primary key, up integer references tree on delete cascade);`,
    [
      way('rows', 'parent', 'insert into parent values (0), (1), (2), (3)', 'I 0', 'I 1', 'I 2', 'I 3'),
      way(
        'children',
        'nulled',
        'insert into cascaded values (1, 1), (1, 2), (2, 1); insert into nulled values (1, 1), (2, 2); insert into defaulted values (1, 1), (2, 2)',
        'I 1',
        'I 2',
      ),
      way(
        'ON UPDATE CASCADE, SET NULL, SET DEFAULT',
        'cascaded',
        'begin; update parent set id = 10 where id = 1; commit',
        'D 1,1',
        'D 1,2',
        'U 10,1',
        'U 10,2',
      ),
      way('ON DELETE SET NULL', 'nulled', 'insert into nulled values (3, 3); delete from parent where id = 3', 'I 3', 'U 3'),
      way('ON DELETE SET DEFAULT', 'defaulted', 'delete from cascaded where p = 2; delete from parent where id = 2', 'U 2'),
      way('ON DELETE CASCADE', 'cascaded', 'delete from parent where id = 10', 'D 10,1', 'D 10,2'),
      way(
        'a tree',
        'tree',
        'insert into tree values (1, null), (2, 1), (3, 2), (4, null); delete from tree where id = 1',
        'D 1',
        'D 2',
        'D 3',
        'I 1',
        'I 2',
        'I 3',
        'I 4',
      ),
      way('TRUNCATE CASCADE', 'defaulted', 'truncate parent cascade', 'T'),
      way('rows after it', 'parent', 'insert into parent values (0); insert into defaulted values (1)', 'I 0'),
    ],
    ['public.parent', 'public.cascaded', 'public.nulled', 'public.defaulted', 'public.tree'],
  );
}, 120_000);

test('partitions and inheritance: parent, direct, between levels, rows that move, TRUNCATE of each', async () => {
  await goEveryWay(
    `create table t (k integer, id integer generated by default as identity, v text, primary key (k, id)) partition by range (k);
    create table t1 partition of t for values from (0) to (10); create table t2 partition of t for values from (10) to (20) partition by range (id);
    create table t2a partition of t2 for values from (0) to (100); create table t2b partition of t2 for values from (100) to (200); create table rest partition of t default;
    create table base (id integer primary key, v text); create table child (w text, primary key (id)) inherits (base);`,
    [
      way('the parent', 't', 'insert into t values (1, 1), (2, 2), (11, 1), (99, 1)', 'I 1,1', 'I 11,1', 'I 2,2', 'I 99,1'),
      way(
        'a partition by its name',
        't',
        "insert into t1 values (3, 3); update t1 set v = 'x' where id = 3; delete from t1 where id = 2",
        'D 2,2',
        'I 3,3',
        'U 3,3',
      ),
      way('a level between', 't', "insert into t2 values (12, 150); update t2 set v = 'y' where id = 150", 'I 12,150', 'U 12,150'),
      way('COPY', 't', copyIn('copy t (k, id) from stdin', '4\t4', '13\t13'), 'I 13,13', 'I 4,4'),
      way('a row that moves through the parent', 't', 'update t set k = 15 where k = 4', 'D 4,4', 'U 15,4'),
      way('a row that moves within a level', 't', 'update t2 set id = 160 where id = 13', 'D 13,13', 'U 13,160'),
      way('a row that moves by ON CONFLICT', 't', "insert into t values (3, 3) on conflict (k, id) do update set v = 'z', id = 33", 'D 3,3', 'U 3,33'),
      way('TRUNCATE of one partition', 't', 'truncate t2b', 'T'),
      way(
        'TRUNCATE of all, RESTART IDENTITY',
        't',
        "truncate t restart identity; insert into t (k, v) values (5, 'first')",
        'I 5,1',
        'T',
        'T',
        'T',
        'T',
        'T',
        'T',
      ),
      way(
        'a child through its parent',
        'child',
        "insert into base values (1, 'a'); insert into child values (1, 'a', 'w'), (2, 'b', 'w'); update base set v = 'c'; delete from base where id = 2",
        'D 2',
        'I 1',
        'I 2',
        'U 1',
        'U 2',
      ),
      way('TRUNCATE of the parent alone', 'base', 'truncate only base', 'T'),
      way('TRUNCATE of the hierarchy', 'child', 'truncate base', 'T'),
    ],
    ['public.t', { source: 'only public.base', target: 'only public.base', columns: { id: 'id', v: 'v' } }, 'public.child'],
  );
}, 120_000);

test('transactions: savepoints, exceptions, procedures that commit, PREPARE TRANSACTION, and maintenance in between', async () => {
  const two = (end: string) => async (source: TestDatabase) => {
    const client = await source.connect();
    const name = `'${source.name}_${end}'`;
    await client.query(
      `begin; insert into t values (40); update t set v = 'prepared' where id = 1; savepoint a; delete from t; rollback to a; prepare transaction ${name}`,
    );
    await client.query(`${end} prepared ${name}`);
    await client.end();
  };
  const alone =
    (...statements: readonly string[]) =>
    async (source: TestDatabase) => {
      for (const statement of statements) await source.query(statement);
    };
  await goEveryWay(
    `${T} create procedure batches() language plpgsql as 'begin for i in 60..63 loop insert into public.t values (i); if i % 2 = 0 then commit; else rollback; end if; end loop; end';`,
    [
      way(
        'savepoints',
        't',
        'begin; insert into t values (1); savepoint a; insert into t values (2); rollback to a; savepoint b; insert into t values (3); release b; commit',
        'I 1',
        'I 3',
      ),
      way('a rollback', 't', 'begin; insert into t values (9); delete from t; rollback'),
      way(
        'exceptions in PL/pgSQL',
        't',
        `do $$ begin insert into t values (10); begin insert into t values (11); raise 'no'; exception when others then insert into t values (12); end;
        begin insert into t values (10); exception when unique_violation then update t set v = 'again' where id = 10; end; end $$`,
        'I 10',
        'I 12',
        'U 10',
      ),
      way('a failed statement', 't', 'do $$ begin insert into t values (20), (1); exception when unique_violation then null; end $$'),
      way('a procedure that commits and rolls back', 't', alone('call batches()'), 'I 60', 'I 62'),
      way('COMMIT PREPARED', 't', two('commit'), 'I 40', 'U 1'),
      way('ROLLBACK PREPARED', 't', alone('delete from t where id = 40', 'select 1'), 'D 40'),
      way('ROLLBACK PREPARED leaves nothing', 't', two('rollback')),
      way(
        'VACUUM FREEZE, VACUUM FULL, CLUSTER, REINDEX',
        't',
        alone(
          "update t set v = 'before' where id = 1",
          'vacuum freeze t',
          'vacuum full t',
          'cluster t using t_pkey',
          'reindex table t',
          "update t set v = 'after' where id = 3",
        ),
        'U 1',
        'U 3',
      ),
      way(
        'ALTER TABLE that rewrites',
        't',
        "alter table t set unlogged; alter table t set logged; alter table t alter v type varchar(40); update t set v = 'y' where id = 1; alter table t alter v type text",
        'U 1',
      ),
      way(
        'a publication FOR ALL TABLES',
        't',
        "create publication everything for all tables; update t set v = 'published'; delete from t where id = 3",
        'D 3',
        'U 1',
        'U 10',
        'U 12',
        'U 3',
        'U 60',
        'U 62',
      ),
      way('large objects are not captured', 't', 'select lo_unlink(lo_create(0))'),
    ],
    ['public.t'],
  );
}, 120_000);
