import { describe, expect, test } from 'vitest';
import { capturing } from '../support/captured.ts';

const PARTITIONED = `create table t (k integer, id integer, v text, primary key (k, id)) partition by range (k);
  create table t1 partition of t for values from (0) to (10); create table t2 partition of t for values from (10) to (20) partition by range (id);
  create table t2a partition of t2 for values from (0) to (100); create table t2b partition of t2 for values from (100) to (200);`;

describe('partitions are captured once', () => {
  test('through the parent, through a partition, and a level between', async () => {
    const { captured } = await capturing(PARTITIONED);
    expect(await captured('insert into t values (1, 1), (11, 1); insert into t1 values (2, 2); insert into t2 values (12, 150)')).toEqual([
      'I 1,1',
      'I 11,1',
      'I 12,150',
      'I 2,2',
    ]);
    expect(await captured("update t set v = 'x' where id = 1; update t2b set v = 'y'; delete from t1 where id = 2; delete from t where k = 12")).toEqual([
      'D 12,150',
      'D 2,2',
      'U 1,1',
      'U 11,1',
      'U 12,150',
    ]);
  });

  test('a row that moves between partitions', async () => {
    const { captured } = await capturing(PARTITIONED);
    await captured('insert into t values (1, 1), (2, 2), (11, 1)');
    expect(await captured('update t set k = 15 where id = 2')).toEqual(['D 2,2', 'U 15,2']);
    expect(await captured('update t2 set id = 101 where id = 1')).toEqual(['D 11,1', 'U 11,101']);
    expect(await captured('insert into t values (1, 1) on conflict (k, id) do update set id = 9')).toEqual(['D 1,1', 'U 1,9']);
  });

  test('a chain of keys in one statement', async () => {
    const { captured } = await capturing(PARTITIONED);
    await captured('insert into t values (9, 1), (10, 1)');
    const entries = await captured('update t set k = k + 1 where k = 10; update t set k = k + 1 where k = 9');
    expect(entries).toEqual(['D 10,1', 'D 9,1', 'U 10,1', 'U 11,1']);
  });

  test('TRUNCATE of the parent, of a middle level and of one partition', async () => {
    const { captured } = await capturing(PARTITIONED);
    await captured('insert into t values (1, 1), (11, 1)');
    for (const table of ['t', 't2', 't1']) expect((await captured(`truncate ${table}`)).every((entry) => entry === 'T')).toBe(true);
    expect(await captured('truncate t1')).toEqual(['T']);
  });

  test('a foreign key cascade into a partitioned table', async () => {
    const { captured } = await capturing(`create table parent (k integer primary key); ${PARTITIONED}
      alter table t add foreign key (k) references parent on delete cascade on update cascade;`);
    await captured('insert into parent values (1), (11); insert into t values (1, 1), (1, 2), (11, 1)');
    expect(await captured('update parent set k = 19 where k = 1')).toEqual(['D 1,1', 'D 1,2', 'U 19,1', 'U 19,2']);
    expect(await captured('delete from parent where k = 11')).toEqual(['D 11,1']);
  });

  test('a BEFORE UPDATE trigger of a partition that changes the key', async () => {
    const { captured } =
      await capturing(`${PARTITIONED} create function shift() returns trigger language plpgsql as 'begin new.id := new.id + 50; return new; end';
      create trigger shift before update on t1 for each row execute function shift();`);
    await captured('insert into t values (1, 1), (11, 1)');
    expect(await captured("update t set v = 'x'")).toEqual(['D 1,1', 'U 1,51', 'U 11,1']);
  });
});

describe('inheritance', () => {
  const FAMILY = 'create table t (id integer primary key, v text); create table child (w text, primary key (id)) inherits (t);';

  test('a child through its parent goes to the child', async () => {
    const { captured } = await capturing(FAMILY, 'public.child', 'sarrio.delta_public_child');
    expect(await captured("insert into child values (1, 'a'), (2, 'b'); update t set v = 'c' where id = 1; delete from t where id = 2")).toEqual([
      'D 2',
      'I 1',
      'I 2',
      'U 1',
    ]);
    expect(await captured('update t set id = 9 where id = 1; truncate t')).toEqual(['D 1', 'T', 'U 9']);
  });

  test('the parent has only rows of its own', async () => {
    const { captured } = await capturing(FAMILY);
    expect(await captured("insert into t values (1, 'a'); insert into child values (2, 'b'); update t set v = 'c'; truncate child")).toEqual(['I 1', 'U 1']);
  });
});
