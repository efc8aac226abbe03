import { beforeAll, expect, test } from 'vitest';
import { buildOnce } from '../support/build.ts';
import type { TestDatabase } from '../support/database.ts';
import { freshDatabase } from '../support/databases.ts';
import { migratingProject, type MigratingProject } from '../support/migrating.ts';
import { share } from '../support/share.ts';
import { waitUntil } from '../support/wait.ts';

const SCHEMA = `create table docs (id integer primary key, region text not null default 'eu', body text); create table others (id integer primary key)`;

/** Where a migration of masters can be cut that changes a key, in the order in which it passes them; then one that adds a column. */
const KEY_POINTS = [
  'migrate.west.begun',
  'migrate.east.arriving',
  'migrate.east.closed',
  'migrate.west.closed',
  'migrate.east.resting',
  'migrate.west.resting',
  'migrate.east.before-commit',
  'migrate.east.committed',
  'migrate.west.before-commit',
  'migrate.west.committed',
  'migrate.before-write',
  'migrate.after-write',
  'migrate.before-end',
] as const;
const COLUMN_POINTS = ['migrate.east.resting', 'migrate.east.committed', 'migrate.west.before-commit'] as const;

const KEYS = ['id, region', 'id'] as const;

type Pair = { readonly east: TestDatabase; readonly west: TestDatabase; readonly project: MigratingProject };

beforeAll(buildOnce, 180_000);

async function pair(): Promise<Pair> {
  const [east, west] = [await freshDatabase('east'), await freshDatabase('west')];
  for (const member of [east, west]) await member.script(SCHEMA);
  const project = await migratingProject(
    { east, west },
    { m: { mode: 'multi-master', members: ['east', 'west'], tables: ['public.*'], onConflict: 'last-update-wins' } },
  );
  return { east, west, project };
}

/** A row by each member, as far as they take one now; those that were taken. */
async function writeDocs({ east, west }: Pair, id: number): Promise<readonly number[]> {
  const taken: number[] = [];
  for (const [index, member] of [east, west].entries()) {
    await member.query(`insert into docs (id, body) values (${2 * id + index}, 'half way'); update docs set body = body || '${index}' where id = 1`).then(
      () => taken.push(2 * id + index),
      (error: unknown) => expect((error as { code?: unknown }).code).toBe('40001'),
    );
  }
  return taken;
}

/** Whatever is half way, the other table is not held up by it, also where a member has another capture than the plan that still stands in the folder says. */
async function othersGoOn({ east, west, project }: Pair, id: number): Promise<void> {
  await west.query('insert into others values ($1)', [id]);
  await waitUntil('the other table goes on', async () => {
    if ((await east.query('select from others where id = $1', [id])).length === 1) return true;
    throw new Error(JSON.stringify(project.events.slice(-5)));
  });
}

test('a migration between masters that is killed anywhere is finished by the same command, and no change of any member is lost', async () => {
  const both = await pair();
  const { east, west, project } = both;
  project.run();
  await east.script("insert into docs (id, body) values (1, 'both')");
  await waitUntil('the second member takes part', async () => (await west.query('select from sarrio.initial_copy where is_joined')).length === 2);
  const taken: number[] = [];
  let id = 100;
  for (const [turn, at] of share(KEY_POINTS, 3).entries()) {
    const sql = `alter table docs drop constraint docs_pkey; alter table docs add primary key (${KEYS[turn % 2]}) -- ${turn}`;
    taken.push(...(await writeDocs(both, (id += 1))));
    await project.migrateKilled(`key-${turn}.sql`, sql, { at, args: ['--drain', '10s'] });
    taken.push(...(await writeDocs(both, (id += 1))));
    await othersGoOn(both, id);
    const again = await project.migrate(`key-${turn}.sql`, sql, '--drain', '10s');
    expect({ at, exit: again.exit, diagnostics: again.diagnostics }).toEqual({ at, exit: 'ok', diagnostics: [] });
    const open = await writeDocs(both, (id += 1));
    expect({ at, open: open.length }).toEqual({ at, open: 2 });
    taken.push(...open);
  }
  for (const [turn, at] of share(COLUMN_POINTS, 3).entries()) {
    const [sql, args] = [`alter table docs add column c${turn} integer default ${turn}`, ['--allow', `expose-column:m/public.docs.c${turn}`]];
    await project.migrateKilled(`column-${turn}.sql`, sql, { at, args });
    taken.push(...(await writeDocs(both, (id += 1))));
    await othersGoOn(both, id);
    expect(await project.migrate(`column-${turn}.sql`, sql, ...args)).toMatchObject({ exit: 'ok', diagnostics: [] });
  }
  await project.arrived();
  expect(await project.verify()).toMatchObject({ exit: 'ok', diagnostics: [] });
  for (const member of [east, west]) {
    const found = new Set((await member.query<{ id: number }>('select id from docs')).map((row) => row.id));
    expect(taken.filter((each) => !found.has(each))).toEqual([]);
  }
}, 240_000);

test('what waits for a member, leaves one out, or lost its way is refused or taken back, and all is as before', async () => {
  const both = await pair();
  const { east, west, project } = both;
  const running = project.run();
  await east.script("insert into docs (id, body) values (1, 'both')");
  await waitUntil('the second member takes part', async () => (await west.query('select from sarrio.initial_copy where is_joined')).length === 2);
  const key = 'alter table docs drop constraint docs_pkey; alter table docs add primary key (id, region)';
  expect(await project.migrate('part.sql', 'alter table docs add column a integer', '--database', 'east')).toMatchObject({
    exit: 'refused',
    diagnostics: [{ code: 'SAR825' }],
  });
  await running.stop();
  await west.script("update docs set body = 'on its way'");
  const refused = await project.migrate('key.sql', key, '--drain', '100ms', '--ddl-retries', '0');
  expect(refused).toMatchObject({ exit: 'refused', diagnostics: [{ code: 'SAR823' }] });
  expect(refused.diagnostics[0]?.message).toContain('1 changes of public.docs have not reached east');
  // Nobody is kept out by what was refused.
  expect(await writeDocs(both, 200)).toHaveLength(2);
  await project.migrateKilled('key.sql', key, { at: 'migrate.west.closed' });
  expect(await writeDocs(both, 201)).toEqual([]);
  expect(await project.migrate('key.sql', key, '--undo')).toMatchObject({ exit: 'ok', data: { outcome: 'undone', done: [] } });
  expect(await writeDocs(both, 202)).toHaveLength(2);
  project.run();
  await project.arrived();
  await project.migrateKilled('key.sql', key, { at: 'migrate.east.committed', args: ['--drain', '10s'] });
  await project.migrate('down.sql', 'select 1', '--expand', '--contract');
  expect(await project.migrate('key.sql', key, '--undo', 'down.sql')).toMatchObject({ exit: 'refused', diagnostics: [{ code: 'SAR827' }] });
  expect(await project.migrate('key.sql', key)).toMatchObject({ exit: 'ok', diagnostics: [] });
  await project.arrived();
  expect(await project.verify()).toMatchObject({ exit: 'ok', diagnostics: [] });
}, 120_000);

test('a member that is down refuses the migration before anything is changed', async () => {
  const { east, project } = await pair();
  const [sql, args] = ['alter table docs add column a integer', ['--allow', 'expose-column:m/public.docs.a']];
  const url = project.env['WEST_URL'] ?? '';
  const env = { ...project.env, WEST_URL: url.replace(/:\d+\//, ':1/') };
  expect((await project.migrateWith(env, 'add.sql', sql, ...args)).exit).not.toBe('ok');
  expect(await east.query("select from pg_attribute where attrelid = 'docs'::regclass and attname = 'a'")).toEqual([]);
  expect(await east.query('select from sarrio.migration')).toEqual([]);
});

test('what somebody has to agree to is asked before anything is changed, as apply asks it', async () => {
  const { east, project } = await pair();
  const refused = await project.migrate('add.sql', 'alter table docs add column secret text');
  expect(refused).toMatchObject({ exit: 'refused', diagnostics: [{ code: 'SAR502' }, { code: 'SAR502' }] });
  expect(refused.diagnostics[0]?.message).toContain('expose-column:m/public.docs.secret');
  await project.reconfigure((config) => config.replace('last-update-wins', 'first-update-wins'));
  expect(await project.migrate('add.sql', 'alter table docs add column secret text', '--allow', 'expose-column:m/public.docs.secret')).toMatchObject({
    exit: 'refused',
    diagnostics: [{ code: 'SAR502' }, { code: 'SAR502' }, { code: 'SAR502' }, { code: 'SAR502' }],
  });
  expect(await east.query('select from sarrio.migration')).toEqual([]);
  // What the file itself says is agreed to by running it.
  await project.reconfigure((config) => config.replace('first-update-wins', 'last-update-wins'));
  expect(await project.migrate('rename.sql', 'alter table docs rename column body to content; alter table docs drop column region')).toMatchObject({
    exit: 'ok',
    diagnostics: [],
  });
});
