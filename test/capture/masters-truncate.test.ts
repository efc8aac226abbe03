import { describe, expect, test } from 'vitest';
import { mastering, pendingRows } from '../support/mastering.ts';
import { waitUntil } from '../support/wait.ts';

const PLAIN = 'create table t (id integer primary key, v text);';
const PARTITIONED = `create table t (k integer, id integer, primary key (k, id)) partition by range (k);
  create table t1 partition of t for values from (0) to (10); create table t2 partition of t for values from (10) to (20) partition by range (id);
  create table t2a partition of t2 for values from (0) to (100); create table t2b partition of t2 for values from (100) to (200);`;

describe('a TRUNCATE at a master', () => {
  test('is the keys of the rows that went', async () => {
    const { captured } = await mastering(PLAIN);
    await captured('insert into t values (1), (2)');
    expect(await captured('truncate t')).toEqual(['D 1', 'D 2', 'T']);
    expect(await captured('truncate t')).toEqual(['T']);
  });

  test('of rows of its own transaction, and rolled back', async () => {
    const { captured, east } = await mastering(PLAIN);
    expect(await captured('begin; insert into t values (3); savepoint s; truncate t; rollback to s; truncate t; insert into t values (4); commit')).toEqual([
      'D 3',
      'I 3',
      'I 4',
      'T',
    ]);
    expect(await east.query('select id from t')).toEqual([{ id: 4 }]);
  });

  test('of a partitioned table, of a level between, and of one partition records each row once', async () => {
    const { captured } = await mastering(PARTITIONED);
    const rows = 'insert into t values (1, 1), (11, 1), (12, 150)';
    await captured(rows);
    const deletes = async (statement: string) => (await captured(statement)).filter((entry) => entry !== 'T');
    expect(await deletes('truncate t2b')).toEqual(['D 12,150']);
    expect(await deletes('truncate t2')).toEqual(['D 11,1']);
    expect(await deletes(`truncate t; ${rows}`)).toEqual(['D 1,1', 'I 1,1', 'I 11,1', 'I 12,150']);
    expect(await deletes('truncate t')).toEqual(['D 1,1', 'D 11,1', 'D 12,150']);
  });

  test('records the rows of a partition that came after the last apply, when they go with the others', async () => {
    const { captured, east } = await mastering(PARTITIONED);
    await east.script('create table t3 partition of t for values from (20) to (30)');
    await captured('insert into t values (1, 1), (11, 1), (21, 1)');
    expect((await captured('truncate t')).filter((entry) => entry !== 'T')).toEqual(['D 1,1', 'D 11,1', 'D 21,1']);
  });

  test('of a table with heirs records its own rows', async () => {
    const { captured } = await mastering(`${PLAIN} create table heir (primary key (id)) inherits (t);`);
    await captured('insert into t values (1); insert into heir values (2)');
    expect(await captured('truncate t')).toEqual(['D 1', 'T']);
  });

  test('by way of a foreign key, and of several tables at once', async () => {
    const { captured } = await mastering('create table parent (id integer primary key); create table t (id integer primary key references parent);');
    await captured('insert into parent values (1), (2); insert into t values (1), (2)');
    expect(await captured('truncate parent cascade')).toEqual(['D 1', 'D 2', 'T']);
  });

  test('of a key with names and types of all sorts', async () => {
    const { captured } = await mastering(`create domain code as text not null check (value <> '');
      create table t ("id" code, "per%cent 'and' ""quote\\" integer, primary key ("id", "per%cent 'and' ""quote\\"));`);
    await captured("insert into t values ('a', 1)");
    expect(await captured('truncate t')).toEqual(['D a,1', 'T']);
  });

  test('of many rows keeps those beyond the first ten thousand out of the index, and counts them', async () => {
    const { captured, east, planned } = await mastering(PLAIN);
    await captured('insert into t select n from generate_series(1, 10005) as n');
    await captured('truncate t');
    const kept = "select count(*)::int as n from sarrio.delta_public_t where change_op = 'D' and change_bulk = 0";
    expect(await east.query(kept)).toEqual([{ n: 5 }]);
    const [counted] = await pendingRows(east, (await planned()).countPending);
    expect(counted).toMatchObject({ entries: '10005', truncated: false, inserts: false });
  });

  test('wakes the runner and marks the table as filled', async () => {
    const { captured, east } = await mastering(PLAIN);
    await captured('insert into t values (1)');
    await east.query("select setval('sarrio.wake_group', 2), setval('sarrio.filled_public_t', 1)");
    const listener = await east.connect();
    const heard: string[] = [];
    listener.on('notification', ({ payload }) => heard.push(payload ?? ''));
    await listener.query('listen sarrio');
    await captured('truncate t');
    // Where the server allows prepared transactions, the flag is set in place of NOTIFY.
    const isKicked = async () => (await east.query('select from sarrio.wake_group where last_value = 3')).length === 1;
    await waitUntil('the runner is woken', async () => heard.includes('group') || isKicked());
    await listener.end();
    expect(await east.query('select last_value::int as v from sarrio.filled_public_t')).toEqual([{ v: 2 }]);
  });

  test('is refused in a transaction whose snapshot may be older than the rows', async () => {
    const { captured, east } = await mastering(PLAIN);
    await captured('insert into t values (1)');
    await expect(east.script('begin isolation level repeatable read; truncate t; commit')).rejects.toThrow(/needs the isolation level READ COMMITTED/);
    expect(await east.query('select id from t')).toEqual([{ id: 1 }]);
  });

  test('of a replica session is not recorded, unless triggers fire always', async () => {
    const replica = 'set local session_replication_role = replica; truncate t; set local session_replication_role = origin';
    const origin = await mastering(PLAIN);
    await origin.captured('insert into t values (1)');
    expect(await origin.captured(replica)).toEqual([]);
    const always = await mastering(PLAIN, { table: 'public.t', captureTriggers: 'always' });
    await always.captured('insert into t values (1)');
    expect(await always.captured(replica)).toEqual(['D 1', 'T']);
  });

  test("with truncate: 'refuse' fails with the reason", async () => {
    const { captured, east } = await mastering(PARTITIONED, { table: 'public.t', truncate: 'refuse' });
    await captured('insert into t values (1, 1)');
    for (const table of ['t', 't1']) {
      await expect(east.script(`truncate ${table}`)).rejects.toThrow(`TRUNCATE of public.${table} is refused: the table is replicated`);
    }
    expect(await east.query('select k from t')).toEqual([{ k: 1 }]);
  });

  test("with truncate: 'ignore' leaves nothing that members look at", async () => {
    const { captured, east, planned } = await mastering(PLAIN, { table: 'public.t', truncate: 'ignore' });
    await captured('insert into t values (1)');
    expect(await captured('truncate t')).toEqual(['T']);
    expect(await pendingRows(east, (await planned()).countPending)).toEqual([]);
  });
});

describe('an entry is pending', () => {
  test('for everybody but the sync that wrote it; or for that one alone, when it is marked so', async () => {
    const { east, captured, planned } = await mastering(PLAIN);
    await captured('insert into t values (1), (2), (3), (4), (5)');
    const tags = ['null', "'group'", "'other'", "'=group'", "'=other'"];
    for (const [index, tag] of tags.entries()) await east.query(`update sarrio.delta_public_t set change_sync = ${tag} where id = ${index + 1}`);
    const table = await planned();
    expect(await pendingRows(east, table.countPending)).toMatchObject([{ entries: '3' }]);
    const rows = await pendingRows(east, table.routes[0]?.read.rows ?? '');
    expect(rows.map(({ id }) => id).sort()).toEqual([1, 3, 4]);
  });

  test('key by key after a break of the capture: members take no TRUNCATE', async () => {
    const { east, captured, project } = await mastering(PLAIN);
    await captured('insert into t values (1), (2)');
    await east.script('alter table t disable trigger sarrio_insert; insert into t values (3); truncate sarrio.delta_public_t');
    expect((await project.apply()).exit).toBe('ok');
    const entries = await east.query<{ entry: string }>("select concat_ws(' ', change_op, id) as entry from sarrio.delta_public_t order by 1");
    expect(entries.map(({ entry }) => entry)).toEqual(['T', 'U 1', 'U 2', 'U 3']);
  });
});
