import { describe, expect, test } from 'vitest';
import { replicated } from '../support/runner.ts';

describe.each([[10], [400]])('%i rows', (rows) => {
  test('partitioned at the target, plain at the source, and rows that move between partitions there', async () => {
    const plain = 'create table t (k integer, id integer, v text, primary key (k, id));';
    const { follows } = await replicated(plain, {
      tables: ['public.t'],
      targetSchema: `${plain.replace(';', ' partition by range (k);')} create table t1 partition of t for values from (0) to (10); create table t2 partition of t default;`,
    });
    await follows(`insert into t select g % 20, g, 'x' from generate_series(1, ${rows}) g`);
    await follows("update t set k = 19 - k; update t set v = 'y' where id % 2 = 0; delete from t where id % 3 = 0");
    await follows('truncate t; insert into t values (1, 1), (11, 1)');
  });

  test('parent and child of an inheritance hierarchy that hold the same keys', async () => {
    const { follows } = await replicated('create table t (id integer primary key, v text); create table child (w text, primary key (id)) inherits (t);', {
      compared: [{ source: 'only public.t', target: 'only public.t', columns: { id: 'id', v: 'v' } }, 'public.child'],
    });
    await follows(`insert into t select g, 'p' from generate_series(1, ${rows}) g; insert into child select g, 'c', 'w' from generate_series(1, ${rows}) g`);
    await follows("update only t set v = 'q'");
    await follows('delete from only t where id % 2 = 0');
    await follows('insert into only_t_view values (0) on conflict do nothing'.replace('only_t_view', 't (id)'));
    await follows('truncate only t');
    await follows("insert into t values (1, 'again')");
  });

  test('tables linked by foreign keys in one transaction', async () => {
    const { follows } = await replicated(
      `create table z (id integer primary key, v text); create table t (id integer primary key, z integer not null references z on delete cascade, up integer references t);`,
      { compared: ['public.z', 'public.t'] },
    );
    await follows(
      `begin; insert into z select g from generate_series(1, ${rows}) g; insert into t select g, g, nullif(g - 1, 0) from generate_series(1, ${rows}) g; commit`,
    );
    await follows('delete from z where id = (select max(id) from z); insert into z values (-1); update t set z = -1');
    await follows('delete from t; delete from z where id > 0');
    await follows('truncate z cascade');
  });
});

test('no round takes rows of a table that nothing named', async () => {
  const { follows, target } = await replicated('create table t (id integer primary key); create table other (id integer primary key);', {
    tables: ['public.t'],
  });
  await target.query('insert into other values (1)');
  await follows('insert into t values (1); insert into other values (2)');
  expect(await target.query('select id from other')).toEqual([{ id: 1 }]);
});
