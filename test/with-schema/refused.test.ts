import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readSchemaFile } from '../../src/plan/schema-file.ts';
import { makeSchema } from '../../src/runner/12-schema/make-schema.ts';
import { systemClock } from '../../src/runner/clock.ts';
import { connect } from '../../src/runner/postgres/session.ts';
import { sarrio } from '../support/cli.ts';
import { freshDatabase } from '../support/databases.ts';
import { waitUntil } from '../support/wait.ts';
import { catalogOf, said, schemaProject } from './project.ts';

test('what cannot be made as it is is refused by name, and nothing is written', async () => {
  const [shop, copy] = [await freshDatabase('unfit'), await freshDatabase('refusing')];
  await shop.script(`
    create extension citext;
    create function valid(text) returns boolean language sql immutable as 'select true';
    create type mood as enum ('a', 'b');
    create table parent (id integer primary key); create table child () inherits (parent);
    create table calls (id integer primary key check (valid('x')), mood mood, taken serial);
    create foreign data wrapper nowhere; create server nobody foreign data wrapper nowhere;
    create table parts (id integer not null) partition by list (id); create foreign table far partition of parts for values in (1) server nobody;
    create table plain (id integer primary key, name citext);`);
  await copy.script(
    "create type mood as enum ('b'); create sequence calls_taken_seq; create view plain_pkey as select 1 as x; create schema ext; create extension citext schema ext",
  );
  const project = await schemaProject({ shop, copy }, { shop: { mode: 'one-way', source: 'shop', targets: ['copy'], tables: ['public.*'] } });
  const refused = await project.verb('pull', '--with-schema');
  expect(refused.exit).toBe('refused');
  expect(said(refused)).toEqual([
    'SAR441 database copy: the extension citext is in schema ext on the target, and in public on the source',
    'SAR441 database copy: a default, constraint, index or column uses the function public.valid(pg_catalog.text), which the target does not have',
    'SAR443 database copy: the name public.plain_pkey is taken on the target by something else, and a table that is missing needs it',
    'SAR443 database copy: the name public.calls_taken_seq is taken on the target, by a sequence or something else, and a table that is missing needs it',
    "SAR443 database copy: type public.mood is another one on the target: create type public.mood as enum ('b'); the tables need create type public.mood as enum ('a', 'b')",
    'SAR440 database copy: public.child is part of an inheritance hierarchy',
    'SAR440 database copy: public.parent is part of an inheritance hierarchy',
    'SAR440 database copy: public.far is a partition that is a foreign table',
  ]);
  expect(await project.verb('plan', '--with-schema')).toMatchObject({ exit: 'ok', text: expect.stringContaining('Nothing to make') });
});

test('a file that was changed, is of another time, or cannot be run makes nothing; cut anywhere it begins anew', async () => {
  const [shop, copy] = [await freshDatabase('cutting'), await freshDatabase('cut')];
  await shop.script("create type mood as enum ('a'); create table a (id serial primary key, mood mood); create table b (id integer primary key references a);");
  const project = await schemaProject({ shop, copy }, { shop: { mode: 'one-way', source: 'shop', targets: ['copy'], tables: ['public.*'] } });
  await project.verb('pull', '--with-schema');
  const path = join(project.dir, 'generated/schema/copy.sql');
  const text = await readFile(path, 'utf8');
  const empty = await catalogOf(copy, ['public']);

  await writeFile(path, text.replace('id integer', 'id bigint'));
  expect((await project.verb('apply', '--with-schema')).diagnostics).toMatchObject([{ code: 'SAR445' }]);
  await writeFile(path, text);
  await copy.script("create type mood as enum ('other')");
  expect(await project.verb('apply', '--with-schema')).toMatchObject({
    exit: 'refused',
    diagnostics: [{ code: 'SAR446', message: expect.stringContaining('type public.mood') }],
  });
  expect(await project.verb('plan', '--with-schema')).toMatchObject({ exit: 'refused' });
  await copy.script('drop type mood; create view b_pkey as select 1 as x');
  expect(await project.verb('apply', '--with-schema')).toMatchObject({
    exit: 'failed',
    diagnostics: [{ code: 'SAR447', message: expect.stringContaining('table public.b could not be made') }],
  });
  await copy.script('drop view b_pkey');
  expect(await catalogOf(copy, ['public'])).toEqual(empty);

  const file = readSchemaFile(text, path);
  const points = [...file.blocks.map((_, index) => `schema-before-${index + 1}`), 'schema-before-commit'];
  expect(points.length).toBeGreaterThan(4);
  for (const point of points) {
    const session = await connect({ database: 'copy', variable: 'COPY_URL', url: copy.url, role: 'install' });
    const failpoint = async (name: string): Promise<void> => (name === point ? session.destroy() : undefined);
    const surroundings = {
      clock: systemClock,
      log: () => undefined,
      signal: new AbortController().signal,
      ddlLockTimeoutMs: 1_000,
      ddlRetries: 3,
      random: Math.random,
    };
    await expect(makeSchema({ session, file, context: { ...surroundings, failpoint } }), point).rejects.toThrow();
    expect(await catalogOf(copy, ['public']), point).toEqual(empty);
  }
  expect(await project.verb('apply', '--with-schema')).toMatchObject({ exit: 'ok' });
  expect(await catalogOf(copy, ['public'])).toEqual(await catalogOf(shop, ['public']));
});

test('a role that may not make things is told what it needs, and owns what it makes', async () => {
  const [shop, copy] = [await freshDatabase('rights'), await freshDatabase('rightless')];
  const role = `maker_${copy.name}`;
  await shop.script(
    'create extension file_fdw schema public; create extension citext; create schema app; create table app.a (id integer primary key, name public.citext)',
  );
  await shop.script("create table app.b (id integer primary key default length(public.file_fdw_validator('{}', 0)::text))");
  await copy.script(`create role ${role} login; revoke create on schema public from public`);
  onTestFinished(() => copy.script(`drop owned by ${role} cascade; drop role ${role}`));
  const limited = { ...copy, url: copy.url.replace('postgres@', `${role}@`) };
  const project = await schemaProject({ shop, copy: limited }, { shop: { mode: 'one-way', source: 'shop', targets: ['copy'], tables: ['app.*'] } });
  const refused = await project.verb('pull', '--with-schema');
  expect(refused.exit).toBe('refused');
  expect(refused.diagnostics).toMatchObject([
    { code: 'SAR441', hint: 'Let a superuser run: create extension if not exists citext with schema public;' },
    { code: 'SAR441', hint: 'Let a superuser run: create extension if not exists file_fdw with schema public;' },
    { code: 'SAR441', hint: `Run: GRANT CREATE ON DATABASE ${copy.name} TO ${role};` },
  ]);
  await copy.script(`grant create on database ${copy.name} to ${role}; grant create on schema public to ${role}; create extension file_fdw schema public`);
  expect(said(await project.verb('pull', '--with-schema'))).toEqual([]);
  expect(await project.verb('apply', '--with-schema')).toMatchObject({ exit: 'ok' });
  expect(await copy.query("select distinct tableowner as owner from pg_tables where schemaname = 'app'")).toEqual([{ owner: role }]);
});

test('tables that wait for a lock begin anew, and say who holds it', async () => {
  const [shop, copy] = [await freshDatabase('waiting'), await freshDatabase('waited')];
  await shop.script('create table a (id integer primary key); create table b (id integer primary key references a);');
  await copy.script('create table a (id integer primary key)');
  const project = await schemaProject({ shop, copy }, { shop: { mode: 'one-way', source: 'shop', targets: ['copy'], tables: ['public.*'] } });
  expect(said(await project.verb('pull', '--with-schema'))).toEqual([]);
  const writer = await copy.connect();
  try {
    await writer.query('begin; insert into a values (1)');
    const busy = await project.verb('apply', '--with-schema', '--ddl-lock-timeout', '20ms', '--ddl-retries', '1');
    expect(busy).toMatchObject({ exit: 'failed', diagnostics: [{ code: 'SAR447', message: expect.stringContaining('foreign-keys public.b') }] });
    expect(busy.stderr).toMatch(/busy, try 1 of 2: backend \d+ \(test, idle in transaction/);
    expect(await copy.query("select to_regclass('public.b')::text as b")).toEqual([{ b: null }]);
  } finally {
    await writer.end();
  }
  expect(await project.verb('apply', '--with-schema')).toMatchObject({ exit: 'ok' });
});

test('the program killed at the commit has made nothing, killed after it all', async () => {
  const [shop, copy] = [await freshDatabase('killing'), await freshDatabase('killed')];
  await shop.script('create table a (id integer primary key); create table b (id integer primary key references a);');
  const project = await schemaProject({ shop, copy }, { shop: { mode: 'one-way', source: 'shop', targets: ['copy'], tables: ['public.*'] } });
  await project.verb('pull', '--with-schema');
  const empty = await catalogOf(copy, ['public']);
  const kill = async (point: string): Promise<void> => {
    const { exitCode } = await sarrio(['apply', '--with-schema'], { cwd: project.dir, env: { ...project.env, SARRIO_FAILPOINT: `${point}=kill` } });
    expect(exitCode).not.toBe(0);
    await waitUntil(
      'its session is gone',
      async () => (await copy.query("select from pg_stat_activity where application_name = 'sarrio install' and datname = current_database()")).length === 0,
    );
  };
  await kill('schema-before-commit');
  expect(await catalogOf(copy, ['public'])).toEqual(empty);
  await kill('schema-after-commit');
  expect(await catalogOf(copy, ['public'])).toEqual(await catalogOf(shop, ['public']));
  expect((await project.verb('apply', '--with-schema')).text).toContain('copy: nothing to make');
});

test('several targets get their tables each on its own; a chain gets them link by link', async () => {
  const [first, second, third, last] = [await freshDatabase('first'), await freshDatabase('second'), await freshDatabase('third'), await freshDatabase('last')];
  await first.script('create table a (id integer primary key); create table b (id integer primary key references a);');
  const sync = { mode: 'one-way', tables: ['public.a', 'public.b'] } as const;
  const project = await schemaProject(
    { first, second, third, last },
    { one: { ...sync, source: 'first', targets: ['second', 'third'] }, two: { ...sync, source: 'third', targets: ['last'] } },
  );
  expect(said(await project.verb('pull', '--with-schema'))).toEqual([
    'SAR448 : the source of sync two lacks tables itself; those of its targets come after them',
  ]);
  await third.script('create view b_pkey as select 1 as x');
  expect(await project.verb('apply', '--with-schema')).toMatchObject({ exit: 'partial', diagnostics: [{ code: 'SAR447', where: 'database third' }] });
  await third.script('drop view b_pkey');
  expect((await project.verb('apply', '--with-schema')).text).toContain('second: nothing to make, all of it is there\nthird: made 2 tables');
  expect((await project.verb('pull', '--with-schema')).text).toContain('last lacks 2 tables');
  expect((await project.verb('apply', '--with-schema')).text).toContain('last: made 2 tables');
  for (const other of [second, third, last]) expect(await catalogOf(other, ['public'])).toEqual(await catalogOf(first, ['public']));
});
