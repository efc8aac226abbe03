import { expect, test } from 'vitest';
import type { TestDatabase } from '../support/database.ts';
import { freshDatabase } from '../support/databases.ts';
import { migratingProject } from '../support/migrating.ts';
import { pause, waitUntil } from '../support/wait.ts';

const SCHEMA = `
  create table orders (id integer primary key, body text, price integer, old text);
  create table items (id integer primary key, body text);
  create table docs (id integer primary key, region text not null default 'eu', body text);
`;

/** A row with this id, and changes of others, some of which the other member changes as well. */
type Write = (id: number) => string;
type Writes = Record<'orders' | 'items' | 'docs' | 'coming', Write | null>;

const FIRST: Writes = {
  orders: (id) => `insert into orders values (${id}, 'body', ${id}, 'old'); update orders set price = price + 1 where id between 1 and 3`,
  items: (id) => `insert into items values (${id}, 'item'); update items set body = body || '.' where id in (1, ${id - 4})`,
  docs: (id) => `insert into docs (id, body) values (${id}, 'doc'); update docs set body = 'changed ${id}' where id in (2, ${id - 6})`,
  coming: null,
};

/** Each: the file, and what applications write once it is through. */
const CHANGES: readonly { readonly name: string; readonly sql: string; readonly args?: readonly string[]; readonly writes?: Partial<Writes> }[] = [
  {
    name: '1-add-column.sql',
    sql: "alter table orders add column note text, add column state text not null default 'new'",
    args: ['--allow', 'expose-column:m/public.orders.note', '--allow', 'expose-column:m/public.orders.state'],
    writes: {
      orders: (id) =>
        `insert into orders (id, body, price, note) values (${id}, 'body', ${id}, 'note'); update orders set note = 'n ${id}' where id in (1, ${id - 4})`,
    },
  },
  { name: '2-drop-column.sql', sql: 'alter table orders drop column old' },
  { name: '3-types.sql', sql: 'alter table orders alter column price type bigint; alter table items alter column id type bigint' },
  {
    name: '4-rename-column.sql',
    sql: 'alter table orders rename column note to remark',
    writes: {
      orders: (id) =>
        `insert into orders (id, body, price, remark) values (${id}, 'body', ${id}, 'r'); update orders set remark = 'r ${id}' where id in (1, ${id - 4})`,
    },
  },
  { name: '5-change-key.sql', sql: 'alter table docs drop constraint docs_pkey; alter table docs add primary key (id, region)' },
  {
    name: '6-rename-table.sql',
    sql: 'alter table items rename to lines',
    writes: { items: (id) => `insert into lines values (${id}, 'line'); update lines set body = body || '.' where id in (1, ${id - 4})` },
  },
  {
    name: '7-new-table.sql',
    sql: 'create table coming (id integer primary key, body text)',
    writes: { coming: (id) => `insert into coming values (${id}, 'comes'); update coming set body = 'stays' where id = ${id - 4}` },
  },
];

/** Statements that meet a table in the middle of its change are the application's to write anew; everything else is a fault. */
const IN_BETWEEN = /^(42|0A|40|55)/;

type Writers = { readonly written: ReadonlyMap<keyof Writes, Set<number>>; readonly faults: readonly unknown[]; count(): number; stop(): Promise<void> };

/** One writer for each table at each member; ids of a member are its own. */
function startWriters(members: readonly TestDatabase[], writes: Writes): Writers {
  const state = { on: true };
  const faults: unknown[] = [];
  const names = ['orders', 'items', 'docs', 'coming'] as const;
  const written = new Map(names.map((name) => [name, new Set<number>()]));
  const loop = async (member: TestDatabase, index: number, name: keyof Writes): Promise<void> => {
    for (let id = 100 + index; state.on; id += 2) {
      const write = writes[name];
      if (write !== null) {
        await member.query(write(id)).then(
          () => written.get(name)?.add(id),
          (error: unknown) => {
            if (!IN_BETWEEN.test(String((error as { code?: unknown }).code))) faults.push(error);
          },
        );
      }
      await pause(20);
    }
  };
  const loops = members.flatMap((member, index) => names.map((name) => loop(member, index, name)));
  return {
    written,
    faults,
    count: () => [...written.values()].reduce((sum, { size }) => sum + size, 0),
    stop: async () => {
      state.on = false;
      await Promise.all(loops);
    },
  };
}

test('seven changes of the schema of two masters, one after the other, while both are written: nothing is lost, and both are equal', async () => {
  const [east, west] = [await freshDatabase('east'), await freshDatabase('west')];
  for (const member of [east, west]) await member.script(SCHEMA);
  await east.script(
    "insert into orders select g, 'body', g, 'old' from generate_series(1, 9) g; insert into items select g, 'item' from generate_series(1, 9) g; insert into docs select g, 'eu', 'doc' from generate_series(1, 9) g",
  );
  const project = await migratingProject(
    { east, west },
    { m: { mode: 'multi-master', members: ['east', 'west'], tables: ['public.*'], onConflict: 'last-update-wins' } },
  );
  project.run();
  await waitUntil('the second member takes part', async () => (await west.query('select from sarrio.initial_copy where is_joined')).length === 3);
  const writes = { ...FIRST };
  const writers = startWriters([east, west], writes);
  for (const { name, sql, args = [], writes: next = {} } of CHANGES) {
    const before = writers.count();
    await waitUntil('the writers write', () => writers.count() > before + 20);
    const outcome = await project.migrate(name, sql, '--drain', '10s', '--ddl-retries', '3', ...args);
    expect({ name, diagnostics: outcome.diagnostics, exit: outcome.exit }, outcome.stderr).toEqual({ name, diagnostics: [], exit: 'ok' });
    Object.assign(writes, next);
  }
  const last = writers.count();
  await waitUntil('the writers write what the last change lets them', () => writers.count() > last + 40);
  await writers.stop();
  expect(writers.faults).toEqual([]);
  await project.arrived();
  const verified = await project.verify();
  expect(verified.text).toMatch(/equal/);
  expect({ exit: verified.exit, diagnostics: verified.diagnostics }).toEqual({ exit: 'ok', diagnostics: [] });
  const tables = { orders: 'orders', items: 'lines', docs: 'docs', coming: 'coming' } as const;
  for (const [name, ids] of writers.written) {
    const found = new Set((await west.query<{ id: string }>(`select id::text from ${tables[name]}`)).map(({ id }) => Number(id)));
    expect({ name, some: ids.size > 0, lost: [...ids].filter((id) => !found.has(id)) }).toEqual({ name, some: true, lost: [] });
  }
}, 240_000);
