import { expect, test } from 'vitest';
import { differingRows } from '../support/compare.ts';
import type { TestDatabase } from '../support/database.ts';
import { freshDatabase } from '../support/databases.ts';
import { catchUp, follow, type Following } from '../support/follow.ts';
import { type Installation, installation } from '../support/installation.ts';
import { waitUntil } from '../support/wait.ts';

const SCHEMA = `
  create table parents (id integer primary key, body text);
  create table children (id integer primary key, parent integer references parents, body text);
  create table others (id integer primary key, body text);
`;
const TABLES = ['public.parents', 'public.children', 'public.others'];

type Pair = { readonly source: TestDatabase; readonly target: TestDatabase; readonly project: Installation };

const ROWS = `insert into parents select g, 'p' from generate_series(1, 50) g; insert into children select g, g, 'c' from generate_series(1, 50) g;
  insert into others values (0, 'o')`;

async function pair(schema = SCHEMA, rows = ROWS): Promise<Pair> {
  const [source, target] = [await freshDatabase('source'), await freshDatabase('target')];
  await source.script(schema);
  await target.script(schema);
  const sync = { mode: 'one-way', source: 'source', targets: ['target'], tables: ['public.*'] } as const;
  const project = await installation({ databases: { source, target }, syncs: { s: sync } });
  expect((await project.apply()).diagnostics).toEqual([]);
  await source.script(rows);
  await catchUp(project);
  return { source, target, project };
}

async function rowOf(database: TestDatabase, table: string, id: number): Promise<Readonly<Record<string, unknown>> | undefined> {
  return (await database.query<Record<string, unknown>>(`select * from ${table} where id = $1`, [id]))[0];
}

const pausedTables = ({ events }: Following): readonly string[] =>
  events.flatMap((event) => (event.kind === 'table-paused' ? [`${event.table} ${event.code}`] : []));
const resumedTables = ({ events }: Following): readonly string[] => events.flatMap((event) => (event.kind === 'table-unpaused' ? [event.table] : []));

test('a new column at the source pauses its table and those that point to it; the others go on, and nothing is lost or purged', async () => {
  const { source, target, project } = await pair();
  const running = follow(project);
  await source.script("alter table parents add column note text; insert into parents values (100, 'p', 'kept'); insert into children values (100, 100, 'c')");
  await source.script("insert into others values (1, 'goes on')");
  await waitUntil('the other table goes on', () => rowOf(target, 'others', 1));
  await waitUntil('both are said', () => pausedTables(running).length === 2);
  expect([...pausedTables(running)].sort()).toEqual(['public.children SAR651', 'public.parents SAR650']);
  expect([await rowOf(target, 'parents', 100), await rowOf(target, 'children', 100)]).toEqual([undefined, undefined]);
  const status = await project.status();
  expect(status.text).toContain('table public.parents, since');
  expect(status.text).toContain('column note is new');
  expect(status.text).toContain('it has a foreign key to public.parents, which waits');
  expect(status.data).toMatchObject({ streams: [{ pending: 2 }] });
  const verified = await project.verify('--table', 'public.children');
  expect(verified.text).toContain('it sits the rounds out: it has a foreign key to public.parents, which waits');
  // Whatever the target acknowledges, what the two tables still need is kept: also through a restart of the runner.
  await running.stop();
  await expect(catchUp(project)).rejects.toThrow('column note is new');
  await target.script('alter table parents add column note text');
  await project.compile();
  expect(await project.apply('--allow', 'expose-column:s/public.parents.note')).toMatchObject({ exit: 'ok', diagnostics: [] });
  await catchUp(project);
  expect(await differingRows(source, target, ...TABLES)).toEqual([]);
  expect(await rowOf(target, 'parents', 100)).toMatchObject({ note: 'kept' });
  expect((await project.status()).text).not.toContain('stopped:');
});

test.each([
  ['a column that is gone', 'alter table others drop column body', 'alter table others add column body text', 'column body is gone'],
  [
    'another type',
    'alter table others alter column body type varchar(1)',
    'alter table others alter column body type text',
    'column body is character varying(1) now, not text',
  ],
  [
    'a column that nobody fills',
    'alter table others add column extra text not null default 0; alter table others alter column extra drop default',
    'alter table others drop column extra',
    'column extra is NOT NULL without a default',
  ],
  [
    'a key without its index',
    'alter table others drop constraint others_pkey',
    'alter table others add primary key (id)',
    'no unique index is left on its key (id)',
  ],
  ['a table that is gone', 'alter table others rename to elsewhere', 'alter table elsewhere rename to others', 'it does not exist'],
])('%s at the target pauses the table before anything wrong stays, and it goes on by itself once it is mended', async (_, breaks, mends, reason) => {
  const { source, target, project } = await pair();
  const running = follow(project);
  await target.script(breaks);
  await source.script("insert into others values (2, 'longer than one'); insert into parents values (101, 'p')");
  await waitUntil('the other table goes on', () => rowOf(target, 'parents', 101));
  await waitUntil('it is said', () => pausedTables(running).includes('public.others SAR650'));
  expect((await project.status()).text).toContain(reason);
  await source.script("insert into others values (3, 'while it waits'); update parents set body = 'on' where id = 101");
  await waitUntil('rounds go on', async () => (await rowOf(target, 'parents', 101))?.['body'] === 'on');
  await target.script(mends);
  await waitUntil('it goes on', () => resumedTables(running).includes('public.others'));
  await running.stop();
  await source.query("update others set body = 'o' where id = 0");
  await catchUp(project);
  expect(await differingRows(source, target, ...TABLES)).toEqual([]);
});

test('a table that is rewritten between the snapshot and the reading is read again, not taken for empty', async () => {
  const { source, target, project } = await pair(
    'create table others (id integer primary key, body text)',
    "insert into others select g, 'x' from generate_series(1, 500) g",
  );
  for (const range of ['id <= 20', 'true']) {
    await source.script(`update others set body = body || '+' where ${range}`);
    const once = { done: false };
    await catchUp(project, async (name) => {
      if (name !== 'round.source.after-snapshot' || once.done) return;
      once.done = true;
      // The same type with another collation of the same text: the table gets a new file, which is empty to older snapshots.
      await source.script('alter table others alter column body type text using body || $$$$');
    });
    expect(once.done).toBe(true);
    expect(await differingRows(source, target, 'public.others')).toEqual([]);
  }
});

test('columns that trade their names between the snapshot and the reading are not taken for each other', async () => {
  const { source, target, project } = await pair('create table others (id integer primary key, body text, note text)', 'insert into others values (0)');
  await source.script("update others set body = 'body', note = 'note'");
  const once = { done: false };
  await catchUp(project, async (name) => {
    if (name !== 'round.source.after-snapshot' || once.done) return;
    once.done = true;
    await source.script(
      'alter table others rename column body to swap; alter table others rename column note to body; alter table others rename column swap to note',
    );
  });
  // What the round brought is what a snapshot after the renaming shows.
  expect(await rowOf(target, 'others', 0)).toEqual(await rowOf(source, 'others', 0));
});
