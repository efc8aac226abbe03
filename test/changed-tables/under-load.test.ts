import { expect, test } from 'vitest';
import type { TestDatabase } from '../support/database.ts';
import { freshDatabase } from '../support/databases.ts';
import { migratingProject } from '../support/migrating.ts';
import { pause, waitUntil } from '../support/wait.ts';

const SCHEMA = `
  create table orders (id integer primary key, body text not null, price integer, old text);
  create table items (id integer primary key, orders integer references orders, body text);
  create table events (id integer, day date, body text, primary key (id, day)) partition by range (day);
  create table events_1 partition of events for values from ('2026-01-01') to ('2026-02-01');
  create table leaving (id integer primary key, body text);
`;

/** A writer: what it writes at the moment, by turn. */
type Writes = { orders: (turn: number) => string; items: (turn: number) => string; events: (turn: number) => string; more: (turn: number) => string };

const FIRST: Writes = {
  orders: (turn) =>
    `insert into orders (id, body, price, old) values (${turn}, 'body ${turn}', ${turn}, 'old'); update orders set price = price + 1 where id > ${turn - 5}; delete from orders where id = ${turn} - 40 and id % 3 = 0`,
  items: (turn) => `insert into items (id, body) values (${turn}, 'item'); update items set body = body || '.' where id = ${turn} - 3`,
  events: (turn) => `insert into events values (${turn}, '2026-01-05', 'event'); update events set body = 'changed ${turn}' where id = ${turn} - 2`,
  more: (turn) => `insert into leaving values (${turn}, 'leaves')`,
};

/** The ten changes, and what the writers write from then on. */
const CHANGES: readonly { readonly name: string; readonly sql: string; readonly args?: readonly string[]; readonly writes?: Partial<Writes> }[] = [
  {
    name: '01-add-column.sql',
    sql: 'alter table orders add column note text',
    args: ['--allow', 'expose-column:s/public.orders.note'],
    writes: {
      orders: (turn) =>
        `insert into orders (id, body, price, old, note) values (${turn}, 'body', ${turn}, 'old', 'note ${turn}'); update orders set note = note || '+' where id > ${turn - 5}`,
    },
  },
  {
    name: '02-add-default.sql',
    sql: "alter table orders add column state text not null default 'new'; alter table items add column amount integer default 1",
    args: ['--allow', 'expose-column:s/public.orders.state', '--allow', 'expose-column:s/public.items.amount'],
  },
  {
    name: '03-drop-column.sql',
    sql: 'alter table orders drop column old',
    writes: {
      orders: (turn) =>
        `insert into orders (id, body, price, note) values (${turn}, 'body', ${turn}, 'note'); update orders set state = 'seen' where id = ${turn} - 3`,
    },
  },
  { name: '04-wider-type.sql', sql: 'alter table orders alter column price type bigint' },
  { name: '05-wider-key.sql', sql: 'alter table items alter column id type bigint' },
  {
    name: '06-add-table.sql',
    sql: 'create table coming (id integer primary key, body text)',
    writes: { more: (turn) => `insert into coming values (${turn}, 'comes'); update coming set body = 'stays' where id = ${turn} - 1` },
  },
  { name: '07-remove-table.sql', sql: 'drop table leaving' },
  {
    name: '08-new-partition.sql',
    sql: "create table events_2 partition of events for values from ('2026-02-01') to ('2026-03-01')",
    writes: {
      events: (turn) =>
        `insert into events_2 values (${turn}, '2026-02-05', 'event'); update events set body = 'changed' where id = ${turn} - 2; delete from events_2 where id = ${turn} - 9`,
    },
  },
  {
    name: '09-rename-columns.sql',
    sql: 'alter table orders rename column note to remark; alter table coming rename column id to number',
    writes: {
      orders: (turn) =>
        `insert into orders (id, body, price, remark) values (${turn}, 'body', ${turn}, 'remark'); update orders set remark = 'r' || remark where id = ${turn} - 3; delete from orders where id = ${turn} - 30`,
      more: (turn) => `insert into coming values (${turn}, 'comes'); update coming set number = -number where number = ${turn} - 2`,
    },
  },
  {
    name: '10-change-key.sql',
    sql: 'alter table coming drop constraint coming_pkey; alter table coming alter column body set not null; alter table coming add primary key (number, body)',
    writes: { more: (turn) => `insert into coming values (${turn}, 'comes'); update coming set body = 'again' where number = ${turn} - 2` },
  },
  {
    name: '11-rename-table.sql',
    sql: 'alter table items rename to lines',
    writes: { items: (turn) => `insert into lines (id, body) values (${turn}, 'line'); update lines set body = body || '.' where id = ${turn} - 3` },
  },
];

/** Statements that meet a table in the middle of its change are the application's to write anew; everything else is a fault. */
const IN_BETWEEN = /^(42|0A|40|55)/;

function startWriters(source: TestDatabase, writes: Writes): { readonly turns: () => number; readonly faults: readonly unknown[]; stop(): Promise<void> } {
  const state = { on: true, turn: 1_000 };
  const faults: unknown[] = [];
  const loop = async (name: keyof Writes): Promise<void> => {
    while (state.on) {
      state.turn += 1;
      await source.query(writes[name](state.turn)).catch((error: unknown) => {
        if (!IN_BETWEEN.test(String((error as { code?: unknown }).code))) faults.push(error);
      });
      await pause(15);
    }
  };
  const loops = (['orders', 'items', 'events', 'more'] as const).map(loop);
  return {
    turns: () => state.turn,
    faults,
    stop: async () => {
      state.on = false;
      await Promise.all(loops);
    },
  };
}

test('ten changes of the schema, one after the other, while four writers write and a runner runs: nothing is lost', async () => {
  const [source, target] = [await freshDatabase('source'), await freshDatabase('target')];
  await source.script(SCHEMA);
  await target.script(SCHEMA);
  const project = await migratingProject({ source, target }, { s: { mode: 'one-way', source: 'source', targets: ['target'], tables: ['public.*'] } });
  project.run();
  const writes = { ...FIRST };
  const writers = startWriters(source, writes);
  for (const { name, sql, args = [], writes: next = {} } of CHANGES) {
    const before = writers.turns();
    await waitUntil('the writers write', () => writers.turns() > before + 20);
    const outcome = await project.migrate(name, sql, ...args);
    expect({ name, diagnostics: outcome.diagnostics, exit: outcome.exit }).toEqual({ name, diagnostics: [], exit: 'ok' });
    Object.assign(writes, next);
  }
  const last = writers.turns();
  await waitUntil('the writers write what the last change lets them', () => writers.turns() > last + 40);
  await writers.stop();
  expect(writers.faults).toEqual([]);
  await project.arrived();
  const verified = await project.verify();
  expect(verified.text).toMatch(/equal/);
  expect({ exit: verified.exit, diagnostics: verified.diagnostics }).toEqual({ exit: 'ok', diagnostics: [] });
  // What the changes were for is there.
  const rows = await target.query<{ table: string; rows: string }>(`
    select 'remark' as table, count(*)::text as rows from orders where remark is not null
    union all select 'partition', count(*)::text from events_2
    union all select 'coming', count(*)::text from coming where body = 'again'
    union all select 'lines', count(*)::text from lines where body like 'line%'`);
  for (const { table, rows: count } of rows) expect({ table, some: Number(count) > 0 }).toEqual({ table, some: true });
}, 240_000);
