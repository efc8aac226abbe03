import { expect, test } from 'vitest';
import { differingRows } from '../support/compare.ts';
import { freshDatabase } from '../support/databases.ts';
import { addRows, ELEVEN, ELEVEN_SCHEMA, numbersAt, truncateAll } from '../support/eleven-tables.ts';
import { catchUp, copyOnce, onAll } from '../support/follow.ts';
import { installation } from '../support/installation.ts';

/** As the predecessor's tests have it: all kinds of keys, and a table without one. */
const SCHEMA = `${ELEVEN_SCHEMA} create table keyless (word text, n integer);`;
const TABLES = [...ELEVEN, 'public.keyless'];

test('full copies from one database to three: rows appear; what was inserted, deleted and truncated at a target is overwritten', {
  timeout: 60_000,
}, async () => {
  const [a, b, c, d] = [await freshDatabase('a'), await freshDatabase('b'), await freshDatabase('c'), await freshDatabase('d')];
  await onAll([a, b, c, d], SCHEMA);
  const project = await installation({
    databases: { a, b, c, d },
    syncs: { full: { mode: 'full-copy', source: 'a', targets: ['b', 'c', 'd'], tables: TABLES } },
  });
  expect((await project.apply()).diagnostics).toEqual([]);
  await addRows(a, 'a', 1, 2, 3);
  await a.query("insert into keyless values ('same', 1), ('same', 1)");
  await copyOnce(project);
  expect(await numbersAt(d)).toEqual([1, 2, 3]);
  await addRows(b, 'b', 8);
  await c.script('truncate keyless; delete from by_pair where inty = 2');
  await truncateAll(d);
  await copyOnce(project);
  for (const target of [b, c, d]) expect(await differingRows(a, target, ...TABLES)).toEqual([]);
});

test('a table with accented letters and a symbol in its key column, in two syncs of which one is taken away', { timeout: 60_000 }, async () => {
  const [a, b, c] = [await freshDatabase('a'), await freshDatabase('b'), await freshDatabase('c')];
  await onAll([a, b, c], 'create table "büçàrdó" ("⚕ pkey" integer primary key, "dáta" text);');
  const hop = (target: string) => ({ mode: 'one-way', source: 'a', targets: [target], tables: ['public.büçàrdó'] }) as const;
  const project = await installation({ databases: { a, b, c }, syncs: { toB: hop('b'), toC: hop('c') } });
  expect((await project.apply()).diagnostics).toEqual([]);
  await a.query(`insert into "büçàrdó" values (1, 'ünö')`);
  await catchUp(project);
  await project.compile({ toB: hop('b') });
  expect((await project.apply('--allow', 'drop-stream:toC/c')).exit).toBe('ok');
  await a.query(`insert into "büçàrdó" values (2, 'dös')`);
  await catchUp(project);
  const at = (database: typeof a) => database.query('select "⚕ pkey" as id, "dáta" as data from "büçàrdó" order by 1');
  expect(await at(b)).toEqual([
    { id: 1, data: 'ünö' },
    { id: 2, data: 'dös' },
  ]);
  expect(await at(c)).toEqual([{ id: 1, data: 'ünö' }]);
});
