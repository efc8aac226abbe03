import { describe, expect, onTestFinished, test } from 'vitest';
import { capturing } from '../support/captured.ts';
import type { TestDatabase } from '../support/database.ts';

/** A role of the application that owns what it likes, and everything that code of its has run as. */
type Attacker = { readonly role: string; run(script: string): Promise<void>; ranAs(): Promise<readonly string[]> };

/** Any role may write into the log, so that code shows whose rights it had. */
async function attackerIn(source: TestDatabase): Promise<Attacker> {
  const role = `mallory_${source.name}`;
  await source.script(`create role ${role}; create schema loot; grant all on schema public to ${role}; grant usage on schema loot to public;
    create table loot.ran (as_role text); grant insert on loot.ran to public;`);
  onTestFinished(() => source.script(`drop owned by ${role} cascade; drop role ${role}`));
  return {
    role,
    run: async (script) => {
      const client = await source.connect();
      try {
        await client.query(`set role ${role}`);
        await client.query(script);
      } finally {
        await client.end();
      }
    },
    ranAs: async () => (await source.query<{ as_role: string }>('select distinct as_role from loot.ran order by 1')).map(({ as_role }) => as_role),
  };
}

const OWNED = (table: string, role: string): string => `alter table ${table} owner to ${role};`;
const LOG = 'insert into loot.ran values (current_user)';

describe('code of a table owner never runs with the rights of our functions:', () => {
  const forms: readonly (readonly [string, string])[] = [
    ['a plain table', 'create table t (id integer primary key, v text)'],
    ['a partitioned table', 'create table t (id integer primary key, v text) partition by range (id); create table t_all partition of t default'],
    ['a table with heirs', 'create table t (id integer primary key, v text); create table heir (primary key (id)) inherits (t)'],
  ];
  test.each(forms)('a cast from a type that takes the place of the key of %s', async (_, schema) => {
    const { source } = await capturing(`${schema};`);
    const mallory = await attackerIn(source);
    await source.script(`insert into t values (7, 'here'); ${OWNED('t', mallory.role)}`);
    for (const each of ['t_all', 'heir'])
      await source.script(`do $$ begin alter table ${each} owner to ${mallory.role}; exception when undefined_table then null; end $$`);
    await mallory.run(`create type trap as enum ('a', 'b');
      create function spring(trap) returns integer language plpgsql as $$ begin ${LOG}; return 1; end $$;
      create cast (trap as integer) with function spring(trap) as implicit;
      create function spring(trap[]) returns integer[] language plpgsql as $$ begin ${LOG}; return '{1}'; end $$;
      create cast (trap[] as integer[]) with function spring(trap[]) as implicit;
      alter table t drop constraint t_pkey cascade; alter table t rename column id to was;
      alter table t add column id trap;`);
    for (const write of ["insert into t (was, id) values (1, 'a')", "update t set id = 'b'", 'delete from t']) {
      await expect(mallory.run(write)).rejects.toThrow(/array_eq|operator is not unique/);
    }
    expect(await mallory.ranAs()).toEqual([]);
  });
});

test('an operator made for a domain does not stand in for the one of its base type', async () => {
  // Everybody may create in the schema of the extension, as in `public` before PostgreSQL 15; row triggers compare keys in the function.
  const schema = `create extension if not exists citext schema public; create domain d as citext;
    create table t (id d primary key, v text); create table heir (primary key (id)) inherits (t);`;
  const { source, captured } = await capturing(schema);
  const mallory = await attackerIn(source);
  await mallory.run(`create function same(d, d) returns boolean language plpgsql as $$ begin ${LOG}; return true; end $$;
    create operator public.= (leftarg = d, rightarg = d, function = same)`);
  expect(await captured("insert into t values ('a', '1'); update t set v = '2'; update t set id = 'B'; delete from t")).toEqual([
    'D B',
    'D a',
    'I a',
    'U B',
    'U a',
  ]);
  expect(await mallory.ranAs()).toEqual([]);
});

test('a view in the place of a table is refused before it is looked at', async () => {
  const { source, project } = await capturing('create table t (id integer primary key, v text);', { table: 'public.t', where: 'id > 0' });
  const mallory = await attackerIn(source);
  await source.script(OWNED('t', mallory.role));
  await mallory.run(`create function spring() returns integer immutable language plpgsql as $$ begin ${LOG}; return 1; end $$;
    drop table t; create view t as select spring() as id, 'x'::text as v; grant all on t to public`);
  expect((await project.plan()).diagnostics.map(({ code }) => code)).toContain('SAR411');
  expect(await mallory.ranAs()).toEqual([]);
});

describe('what an application role can do to changes:', () => {
  test('neither make nor take away nor read one, nor turn a segment or wake anybody', async () => {
    const { source, project, drain } = await capturing('create table t (id integer primary key, v text);');
    const mallory = await attackerIn(source);
    await source.script(`grant all on t to ${mallory.role}`);
    const denied = [
      ...['insert into sarrio.delta_public_t (id) values (1)', 'update sarrio.delta_public_t set id = 1', 'delete from sarrio.delta_public_t'],
      ...['select * from sarrio.delta_public_t', 'truncate sarrio.segment1_public_t', 'select * from sarrio.segment1_public_t'],
      ...["select setval('sarrio.current_public_t', 2)", "select nextval('sarrio.wake_s')", "select sarrio.wake('s', 'sarrio.wake_s')"],
      ...['select sarrio.capture_public_t()', 'create table sarrio.mine ()', 'create function sarrio.mine() returns int language sql as $$ select 1 $$'],
      ...[
        'update sarrio.acknowledged set position = null',
        'delete from sarrio.watermark',
        'do $$ begin lock table sarrio.delta_public_t; end $$',
        'drop table sarrio.stream',
      ],
      ...['alter function sarrio.capture_public_t() security invoker', 'drop trigger sarrio_insert on t', 'alter table t disable trigger all'],
    ];
    for (const usage of [false, true]) {
      if (usage) await source.script(`grant usage on schema sarrio to ${mallory.role}`);
      for (const statement of denied) await expect(mallory.run(statement), statement).rejects.toThrow(/permission denied|must be owner/);
    }
    await mallory.run("insert into t values (1, 'x')");
    expect(await drain()).toEqual(['I 1']);
    await source.script(`revoke usage on schema sarrio from ${mallory.role}`);
    expect((await project.plan()).data).toMatchObject({ steps: [] });
  });

  test('a role that may create in schema sarrio is noticed, and loses that right', async () => {
    const { source, project } = await capturing('create table t (id integer primary key, v text);');
    const mallory = await attackerIn(source);
    await source.script(`grant create, usage on schema sarrio to ${mallory.role}`);
    await mallory.run('create function sarrio.wake(text, text) returns void language sql as $$ select $$');
    const { diagnostics, data } = await project.plan();
    expect(diagnostics).toMatchObject([{ code: 'SAR510', message: expect.stringContaining('sarrio.wake(text, text)') }]);
    expect(data).toMatchObject({ steps: [{ id: 'source: repair schema sarrio' }] });
    await project.apply();
    await expect(mallory.run('create table sarrio.more ()')).rejects.toThrow('permission denied');
  });
});

test('names that a session shadows in pg_temp and in its search path change nothing', async () => {
  const { source, drain } = await capturing('create table t (id uuid primary key, v text);');
  const mallory = await attackerIn(source);
  await source.script(
    `grant all on t to ${mallory.role}; create schema evil; grant all on schema evil to ${mallory.role}; grant temporary on database ${source.name} to ${mallory.role}`,
  );
  await mallory.run(`set search_path = evil, pg_temp, pg_catalog;
    create function evil.array_eq(anyarray, anyarray) returns boolean language plpgsql as $$ begin ${LOG}; return false; end $$;
    create function evil.clock_timestamp() returns timestamptz language plpgsql as $$ begin ${LOG}; return null; end $$;
    create function evil.spring(uuid, uuid) returns boolean language plpgsql as $$ begin ${LOG}; return false; end $$;
    create operator evil.= (leftarg = uuid, rightarg = uuid, function = evil.spring);
    create type pg_temp.uuid as enum ('a'); create type pg_temp.int8 as enum ('a'); create temp table changed_rows (id int); create temp table segment1_public_t (id int);
    create temp table d (id int);
    insert into public.t values ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'x'); update public.t set v = 'y'; delete from public.t`);
  expect((await drain()).map((entry) => entry[0])).toEqual(['D', 'I', 'U']);
  expect(await mallory.ranAs()).toEqual([]);
});
