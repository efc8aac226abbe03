import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { buildOnce } from '../support/build.ts';
import type { TestDatabase } from '../support/database.ts';
import { freshDatabase } from '../support/databases.ts';
import { migratingProject, type MigratingProject } from '../support/migrating.ts';
import { share } from '../support/share.ts';
import { waitUntil } from '../support/wait.ts';

const SCHEMA = 'create table orders (id integer primary key, body text); create table others (id integer primary key)';

/** Where the command can be cut, in the order in which an expanding and a contracting migration pass them. */
const EXPANDING = [
  'migrate.source.begun',
  'migrate.target.begun',
  'migrate.target.resting',
  'migrate.target.before-commit',
  'migrate.target.committed',
  'migrate.source.before-commit',
  'migrate.source.committed',
  'migrate.before-write',
  'migrate.after-write',
  'migrate.before-end',
] as const;
const CONTRACTING = ['migrate.source.locked', 'migrate.target.resting', 'migrate.source.committed', 'migrate.target.before-commit'] as const;

/** A new column leaves the source: somebody has to agree to that. */
const allow = (column: string): readonly string[] => ['--allow', `expose-column:s/public.orders.${column}`];

beforeAll(buildOnce, 180_000);

type Pair = { readonly source: TestDatabase; readonly target: TestDatabase; readonly project: MigratingProject };

async function pair(): Promise<Pair> {
  const [source, target] = [await freshDatabase('source'), await freshDatabase('target')];
  await source.script(SCHEMA);
  await target.script(SCHEMA);
  const project = await migratingProject({ source, target }, { s: { mode: 'one-way', source: 'source', targets: ['target'], tables: ['public.*'] } });
  return { source, target, project };
}

test('a migration that is killed anywhere is finished by the same command, runs once in each database, and loses no row', async () => {
  const { source, target, project } = await pair();
  project.run();
  const added = share([...EXPANDING.entries()], 3);
  for (const [index, point] of added) {
    const file = `add-${index}.sql`;
    const sql = `alter table orders add column c${index} integer default ${index}`;
    const args = allow(`c${index}`);
    await project.migrateKilled(file, sql, { at: point, args });
    await source.script(`insert into orders (id, body) values (${index}, '${point}'); insert into others values (${index})`);
    // Whatever is half way, the other table is not held up by it.
    await waitUntil('the other table goes on', async () => (await target.query('select from others where id = $1', [index])).length === 1);
    const again = await project.migrate(file, sql, ...args);
    expect({ point, diagnostics: again.diagnostics, exit: again.exit }).toEqual({ point, diagnostics: [], exit: 'ok' });
    await source.query(`update orders set c${index} = -1 where id = $1`, [index]);
  }
  const first = added[0]?.[0];
  expect((await project.migrate(`add-${first}.sql`, `alter table orders add column c${first} integer default ${first}`)).data).toMatchObject({
    outcome: 'was-done',
  });
  await project.arrived();
  for (const [turn, point] of share(CONTRACTING, 2).entries()) {
    const index = added[turn]?.[0];
    const [file, sql] = [`drop-${index}.sql`, `alter table orders drop column c${index}`];
    await project.migrateKilled(file, sql, { at: point });
    await source.script(`update orders set body = '${point}' where id = ${index}`);
    expect((await project.migrate(file, sql)).exit).toBe('ok');
  }
  await project.arrived();
  expect(await project.verify()).toMatchObject({ exit: 'ok', diagnostics: [] });
}, 120_000);

const HALF_WAY = [
  { sql: 'alter table orders add column half integer', at: 'migrate.target.committed', args: allow('half') },
  {
    sql: 'alter table orders drop constraint orders_pkey; alter table orders alter body set not null; alter table orders add primary key (id, body)',
    at: 'migrate.source.committed',
  },
  { sql: 'alter table orders rename to sales', at: 'migrate.source.committed' },
  { sql: 'alter table sales rename to orders', at: 'migrate.before-write' },
] as const;

test('a runner that comes while a migration is half way lets the tables wait that it touches, and goes on with all others', async () => {
  const { source, target, project } = await pair();
  let runner = project.run();
  for (const [index, step] of HALF_WAY.entries()) {
    const args = 'args' in step ? step.args : [];
    await source.script(`insert into others values (${index})`);
    await project.migrateKilled(`${index}.sql`, step.sql, { at: step.at, args: [...args, '--drain', '10s'] });
    await runner.stop();
    runner = project.run();
    await source.script(`insert into others values (${10 + index}); insert into ${index === 2 ? 'sales' : 'orders'} (id, body) values (${index}, 'half way')`);
    await waitUntil('the other table goes on', async () => {
      if ((await target.query('select from others where id = $1', [10 + index])).length === 1) return true;
      throw new Error(JSON.stringify(project.events.slice(-5)));
    });
    expect((await project.status()).text).toContain('rests for a migration');
    const again = await project.migrate(`${index}.sql`, step.sql, ...args, '--drain', '10s');
    expect({ sql: step.sql, diagnostics: again.diagnostics, exit: again.exit }).toEqual({ sql: step.sql, diagnostics: [], exit: 'ok' });
  }
  await project.arrived();
  expect(await project.verify()).toMatchObject({ exit: 'ok', diagnostics: [] });
  expect(await target.query('select id from orders order by id')).toEqual([{ id: 0 }, { id: 1 }, { id: 2 }, { id: 3 }]);
}, 120_000);

test('a migration that was killed can be taken back: where it ran nowhere by itself, else by the statements that undo it', async () => {
  const { source, project } = await pair();
  project.run();
  const sql = 'alter table orders add column extra integer';
  const args = allow('extra');
  await project.migrateKilled('add.sql', sql, { at: 'migrate.target.resting', args });
  await source.script("insert into orders values (1, 'while it rests')");
  expect(await project.migrate('other.sql', 'create table more (id integer primary key)')).toMatchObject({
    exit: 'refused',
    diagnostics: [{ code: 'SAR821' }],
  });
  expect((await project.status()).text).toContain('orders');
  expect(await project.migrate('add.sql', sql, '--undo')).toMatchObject({ exit: 'ok', data: { outcome: 'undone', done: [] } });
  await project.arrived();
  await project.migrateKilled('add.sql', sql, { at: 'migrate.target.committed', args });
  await source.script("insert into orders values (2, 'while it rests')");
  expect(await project.migrate('add.sql', sql, '--undo')).toMatchObject({ exit: 'refused', diagnostics: [{ code: 'SAR827' }] });
  await project.migrate('down.sql', 'alter table orders drop column extra', '--expand', '--contract');
  expect(await project.migrate('add.sql', sql, '--undo', join(project.dir, 'down.sql'))).toMatchObject({
    exit: 'ok',
    data: { outcome: 'undone', done: ['target'] },
  });
  await project.arrived();
  expect(await project.verify()).toMatchObject({ exit: 'ok', diagnostics: [] });
});

test('what would lose changes, or cannot run in one transaction, is refused with its reason before anything is changed', async () => {
  const { source, target, project } = await pair();
  const running = project.run();
  await source.script("insert into orders values (1, 'arrives')");
  await waitUntil('it arrives', async () => (await target.query('select from orders')).length === 1);
  await running.stop();
  await source.script("update orders set body = 'on its way'");
  const refused = await project.migrate('drop.sql', 'alter table orders drop column body', '--drain', '100ms', '--ddl-retries', '1');
  expect(refused).toMatchObject({ exit: 'refused', diagnostics: [{ code: 'SAR823' }] });
  expect(refused.diagnostics[0]?.message).toContain('1 changes of public.orders have not reached target');
  expect(await source.query('select body from orders')).toEqual([{ body: 'on its way' }]);
  expect(await project.migrate('drop.sql', 'alter table orders drop column body', '--undo')).toMatchObject({ exit: 'ok' });
  const faults: readonly (readonly [sql: string, code: string])[] = [
    ['alter table orders add column a integer; commit', 'SAR820'],
    ['create index concurrently on orders (body)', 'SAR820'],
    ['alter table orders add column a integer, drop column body', 'SAR824'],
    ['alter table nothing add column a integer', 'SAR822'],
    ['-- nothing', 'SAR820'],
  ];
  for (const [sql, code] of faults) expect(await project.migrate('fault.sql', sql), sql).toMatchObject({ diagnostics: [{ code }] });
  expect(await project.migrate('fault.sql', 'alter table orders drop column body', '--expand')).toMatchObject({ diagnostics: [{ code: 'SAR824' }] });
  expect(await source.query("select from pg_attribute where attrelid = 'orders'::regclass and attnum > 0 and not attisdropped")).toHaveLength(2);
});
