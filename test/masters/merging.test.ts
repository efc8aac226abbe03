import { expect, test } from 'vitest';
import type { MultiMasterSync } from '../../src/index.ts';
import { sarrio } from '../support/cli.ts';
import { mastering } from '../support/mastering.ts';
import { at, type Masters, masters, rowsOf } from '../support/masters.ts';

const SCHEMA = 'create table t (id integer primary key, name text, price numeric(10,2), stock integer not null default 0);';
const COLUMNS = { columns: 'merge', otherwise: 'last-update-wins' } as const;
const COUNTERS = { counters: ['stock'], columns: 'merge', otherwise: 'last-update-wins' } as const;

/** What each of the members does before they hear of each other. */
async function meet(between: Masters, ...statements: readonly string[]): Promise<readonly string[]> {
  for (const [index, statement] of statements.entries()) await at(between.members, index).script(statement);
  return between.rows();
}

test('columns that only one master changed are merged; where both did, the second rule says for that column', async () => {
  const seed = "insert into t values (1, 'one', 1, 5), (2, 'two', 2, 5), (3, 'three', 3, 5), (4, 'four', 4, 5)";
  const between = await masters(SCHEMA, { seed, sync: { onConflict: COLUMNS } });
  const rows = await meet(
    between,
    `update t set name = 'east' where id = 1; update t set name = 'east', price = 10 where id = 2; delete from t where id = 3;
     update t set stock = 6 where id = 4; insert into t values (5, 'east', 5, 5)`,
    `update t set price = 99 where id = 1; update t set name = 'west', stock = 7 where id = 2; update t set price = 30 where id = 3;
     update t set stock = 6 where id = 4; insert into t values (5, 'west', 5, 5)`,
  );
  expect(rows).toEqual(['(1,east,99.00,5)', '(2,west,10.00,7)', '(3,three,30.00,5)', '(4,four,4.00,6)', '(5,west,5.00,5)']);
  expect(await between.conflicts()).toEqual([
    'delete/update take west',
    'insert/insert take west',
    'update/update merge (name of east, price of west)',
    'update/update merge (name of west, price of east, stock of west)',
  ]);
});

test('what all masters add to a counter adds up, also where the rows look the same; the rest goes by columns', async () => {
  const seed = "insert into t select g, 'p', 1, 100 from generate_series(1, 5) as g";
  const between = await masters(SCHEMA, { count: 3, seed, sync: { onConflict: COUNTERS } });
  const rows = await meet(
    between,
    `update t set stock = stock - 1 where id in (1, 2, 5); begin; update t set stock = stock - 10 where id = 3; update t set stock = stock - 10 where id = 3; commit;
     update t set name = 'east' where id = 2; delete from t where id = 4`,
    'update t set stock = stock - 1 where id in (1, 2, 5); update t set stock = stock + 50, price = 7 where id = 3; update t set stock = 1 where id = 4',
    'update t set stock = stock - 1 where id in (1, 2); update t set stock = stock * 2 where id = 3',
  );
  expect(rows).toEqual(['(1,p,1.00,97)', '(2,east,1.00,97)', '(3,p,7.00,230)', '(4,p,1.00,1)', '(5,p,1.00,98)']);
  expect((await between.conflicts()).join('\n')).toMatch(/update\/update.* merge \(row of \w+, stock 99 - [12] = 9[78]\)/);
});

test('many rows, and a round of a thousand changes of one', async () => {
  const between = await masters(SCHEMA, {
    count: 3,
    seed: "insert into t select g, 'p', 1, 0 from generate_series(1, 1500) as g",
    sync: { onConflict: COUNTERS },
  });
  const hot = "do 'begin for i in 1..500 loop update t set stock = stock + 1 where id = 1; end loop; end'";
  await meet(between, `update t set stock = stock + 1; ${hot}`, `update t set stock = stock + 10; ${hot}`, `update t set stock = stock + 100; ${hot}`);
  const sums = await at(between.members, 0).query<{ stock: number; n: string }>('select stock, count(*)::text as n from t group by stock order by stock');
  expect(sums).toEqual([
    { stock: 111, n: '1499' },
    { stock: 1611, n: '1' },
  ]);
});

test('a sum that a check refuses stops the sync with the row, and goes through once the check allows it', async () => {
  const schema = 'create table t (id integer primary key, stock integer not null check (stock >= 0));';
  const between = await masters(schema, { seed: 'insert into t values (1, 5)', sync: { onConflict: { counters: ['stock'], otherwise: 'last-update-wins' } } });
  for (const member of between.members) await member.script('update t set stock = stock - 4');
  await expect(between.settles()).rejects.toThrow(/t_stock_check/);
  for (const member of between.members) await member.script('alter table t drop constraint t_stock_check');
  expect(await between.rows()).toEqual(['(1,-3)']);
});

test('undoing a conflict of counters is a change like any other: what is added meanwhile is added to it', async () => {
  const between = await masters(SCHEMA, { count: 3, seed: "insert into t values (1, 'p', 1, 10)", sync: { onConflict: COUNTERS } });
  expect(await meet(between, 'update t set stock = stock + 1', 'update t set stock = stock + 2')).toEqual(['(1,p,1.00,13)']);
  const [conflict] = await at(between.members, 0).query<{ id: string }>('select id::text as id from sarrio.conflict');
  const options = { env: between.project.env };
  const undone = await sarrio(['conflicts', 'undo', conflict?.id ?? '', '--take', 'east', '--anyway', '--generated', between.project.dir], options);
  expect(undone.exitCode).toBe(0);
  await at(between.members, 2).script('update t set stock = stock + 100');
  expect(await between.rows()).toEqual(['(1,p,1.00,111)']);
});

type Recorded = { readonly entry: string };
const RECORDED = `select concat_ws(' ', change_op, id, change_columns::text, change_amounts::text) as entry from sarrio.delta_public_t order by change_op, id, change_columns`;

async function recorded(at: Awaited<ReturnType<typeof mastering>>, statements: string): Promise<readonly string[]> {
  await at.captured(statements);
  return (await at.east.query<Recorded>(RECORDED)).map(({ entry }) => entry);
}

test('capture records the changed columns and the differences of counters, whatever the statement', async () => {
  const both = await mastering(
    `${SCHEMA} insert into t select g, 'p', 1, 10 from generate_series(1, 4) as g;`,
    { table: 'public.t', onConflict: COUNTERS },
    { existingRows: 'keep' },
  );
  expect(await recorded(both, "update t set stock = stock - 3, name = 'q' where id = 1")).toEqual(['U 1 {name,stock} {"stock": "-3"}']);
  expect(await recorded(both, 'update t set name = name where id = 1')).toEqual(['U 1 {} {"stock": "0"}']);
  expect(await recorded(both, 'update t set price = 1.000, name = null where id = 1')).toEqual(['U 1 {name} {"stock": "0"}']);
  expect(await recorded(both, "insert into t values (9, 'p', 1, 1); delete from t where id = 9")).toEqual(['D 9', 'I 9']);
  expect(await recorded(both, 'update t set id = 8 where id = 4')).toEqual(['D 4', 'U 8']);
  expect(await recorded(both, "insert into t values (1, 'x', 1, 5) on conflict (id) do update set stock = t.stock + excluded.stock")).toEqual([
    'U 1 {stock} {"stock": "5"}',
  ]);
  expect(await recorded(both, 'update t set stock = stock + 1 where id < 0')).toEqual([]);
  await both.east.script("insert into t select g, 'many', 1, 10 from generate_series(100, 12099) as g");
  const many = await recorded(both, 'update t set stock = stock + 2 where id >= 100');
  expect([many.length, many.filter((entry) => entry.endsWith('{stock} {"stock": "2"}')).length, many[0]]).toEqual([12_001, 12_000, 'B']);
  await both.east.script('alter table t drop column price; alter table t rename column name to title');
  expect(await recorded(both, "update t set title = 'z', stock = 0 where id = 2")).toEqual(['U 2 {stock} {"stock": "-10"}']);
});

test('partitions, and counters that are null, which count as 0', async () => {
  const schema = `create table t (id integer primary key, name text, stock bigint) partition by range (id);
    create table t1 partition of t for values from (0) to (100); create table t2 partition of t default;`;
  const between = await masters(schema, {
    seed: "insert into t values (1, 'p', 10), (2, 'n', null), (3, 'n', null), (200, 'p', 10)",
    sync: { onConflict: { counters: ['stock'], otherwise: 'stop' } },
  });
  const rows = await meet(
    between,
    'update t1 set stock = stock + 1 where id = 1; update t set stock = 1 where id = 2; update t set stock = stock + 1 where id = 200',
    'update t set stock = stock + 5; update t set stock = 2 where id = 2',
  );
  expect(rows).toEqual(['(1,p,16)', '(2,n,3)', '(200,p,16)', '(3,n,)']);
  expect(await rowsOf(at(between.members, 1))).toEqual(rows);
});

test('a table that is replicated already can be given such a rule, and another one again', async () => {
  const between = await masters(SCHEMA, { seed: "insert into t values (1, 'p', 1, 10)" });
  const change = async (onConflict: MultiMasterSync['onConflict']): Promise<readonly string[]> => {
    await at(between.members, 0).script('update t set price = price + 1, stock = stock + 1');
    await between.project.compile({ m: { mode: 'multi-master', members: ['east', 'west'], tables: ['public.*'], ...(onConflict ? { onConflict } : {}) } });
    expect((await between.project.approve()).diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect((await between.project.plan()).text).toContain('nothing to do');
    await at(between.members, 1).script("update t set name = name || 'w', stock = stock + 1");
    return between.rows();
  };
  // The first change was captured before anything but the key was recorded, so the rows are judged as a whole.
  expect(await change(COUNTERS)).toEqual(['(1,pw,1.00,11)']);
  expect(await change(COUNTERS)).toEqual(['(1,pww,2.00,13)']);
  expect(await change('first-update-wins')).toEqual(['(1,pww,3.00,14)']);
});

test('what was captured before a column was a counter has no difference in it: such rows are judged as a whole, then it is counted', async () => {
  const between = await masters(SCHEMA, { seed: "insert into t values (1, 'p', 1, 10), (2, 'q', 1, 10)", sync: { onConflict: COLUMNS } });
  for (const amount of [1, 2]) await at(between.members, amount - 1).script(`update t set stock = stock + ${amount}`);
  await between.project.compile({ m: { mode: 'multi-master', members: ['east', 'west'], tables: ['public.*'], onConflict: COUNTERS } });
  expect((await between.project.approve()).diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  await at(between.members, 0).script('update t set stock = stock + 100 where id = 2');
  expect(await between.rows()).toEqual(['(1,p,1.00,12)', '(2,q,1.00,111)']);
  for (const amount of [1, 2]) await at(between.members, amount - 1).script(`update t set stock = stock + ${amount}`);
  expect(await between.rows()).toEqual(['(1,p,1.00,15)', '(2,q,1.00,114)']);
});
