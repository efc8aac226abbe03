import { describe, expect, test } from 'vitest';
import { sarrio } from '../support/cli.ts';
import { differingRows } from '../support/compare.ts';
import type { TestDatabase } from '../support/database.ts';
import { catchUp, follow } from '../support/follow.ts';
import type { Installation } from '../support/installation.ts';
import { type Replicated, replicated } from '../support/runner.ts';
import { unsafeTables } from '../support/unsafe.ts';
import { waitUntil } from '../support/wait.ts';

const T = "create table t (id integer primary key, v text); insert into t select g, 'x' from generate_series(1, 20) g;";
const OFF = 'alter table t disable trigger all;';
const ON = 'alter table t enable trigger all;';
const WRITES = "insert into t values (100, 'unseen'); update t set v = 'unseen' where id = 1; delete from t where id = 2;";

const PARTITIONED = `create table t (id integer primary key, v text) partition by range (id);
  create table t1 partition of t for values from (0) to (100); create table t2 partition of t for values from (100) to (200);
  insert into t select g, 'x' from generate_series(90, 110) g;`;

/** Source and target; the target starts empty. */
const place = (schema: string): Promise<Replicated> => replicated(schema, { tables: ['public.t'], targetSchema: `${schema} delete from t;` });

/** Applies what `plan` shows and lets the runner catch up; then nothing is unsafe, and all rows are equal. */
async function repaired({ source, target, project }: Pick<Replicated, 'source' | 'target' | 'project'>, ...args: readonly string[]): Promise<void> {
  const applied = await project.apply(...args);
  expect(applied.diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  expect((await project.plan('--exit-code')).exit).toBe('ok');
  expect(await unsafeTables(source, project)).toEqual([]);
  await catchUp(project);
  expect(await differingRows(source, target, 'public.t')).toEqual([]);
}

async function codes(project: Installation): Promise<readonly string[]> {
  return (await project.plan()).diagnostics.map(({ code, where }) => `${code} ${where}`);
}

describe('changes that went by uncaptured are noticed, and every target takes the table anew:', () => {
  test.each([
    ['all triggers disabled', `${OFF}${WRITES}`, /trigger sarrio_delete is disabled; .* and \d more/],
    ['one trigger disabled', 'alter table t disable trigger sarrio_update; update t set v = id::text', /public\.t: trigger sarrio_update is disabled$/],
    ['user triggers disabled, as pg_restore --disable-triggers does, and enabled again', `${OFF}${WRITES}${ON}`, /was disabled for a time or changed/],
    [
      'a trigger fires for replicas only, for a time',
      `alter table t enable replica trigger sarrio_insert; insert into t values (200); alter table t enable trigger sarrio_insert`,
      /public\.t: trigger sarrio_insert was disabled for a time or changed$/,
    ],
    ['a dropped trigger', `drop trigger sarrio_delete on t; ${WRITES}`, /public\.t: trigger sarrio_delete is gone$/],
    [
      'a capture function emptied for a time',
      `do $$ declare body text := pg_get_functiondef('sarrio.capture_public_t()'::regprocedure); begin
        execute 'create or replace function sarrio.capture_public_t() returns trigger language plpgsql security definer as ''begin return null; end'''; ${WRITES} execute body; end $$`,
      /the function of trigger sarrio_insert was changed/,
    ],
    ['a table dropped and created again', `drop table t; ${T} ${WRITES}`, /the table was dropped or renamed, and another one has its name now/],
    ['another table under its name', `alter table t rename to old; ${T} ${WRITES}`, /the table was dropped or renamed, and another one has its name now/],
  ])('%s', async (_, statements, reason) => {
    const stage = await place(T);
    expect(await unsafeTables(stage.source, stage.project)).toEqual([]);
    await stage.source.script(statements);
    expect((await unsafeTables(stage.source, stage.project))[0]).toMatch(reason);
    expect(await codes(stage.project)).toEqual(['SAR511 database source, table public.t']);
    await repaired(stage);
    await stage.follows("update t set v = 'after'");
  });

  test('a delta table dropped by hand', async () => {
    const stage = await place(T);
    await stage.source.script(`drop table sarrio.delta_public_t; ${OFF}${WRITES}${ON}`);
    expect((await unsafeTables(stage.source, stage.project))[0]).toMatch(/its delta table was dropped/);
    await repaired(stage);
  });

  test('a table that is unlogged for a time, once a runner has seen it', async () => {
    const stage = await place(T);
    await stage.source.script('alter table t set unlogged');
    expect((await unsafeTables(stage.source, stage.project))[0]).toMatch(/the table is unlogged: a crash empties it/);
    await noticed(stage);
    await stage.source.script('alter table t set logged');
    expect((await unsafeTables(stage.source, stage.project))[0]).toMatch(/the table is unlogged/);
    await repaired(stage);
  });

  test('a table that got a parent: statements on the parent go by its triggers until it is compiled again', async () => {
    const stage = await place(T);
    await stage.source.script("create table parent (id integer not null, v text); alter table t inherit parent; update parent set v = 'unseen'");
    expect((await unsafeTables(stage.source, stage.project))[0]).toMatch(/the table has a parent or heirs now/);
    await stage.project.compile({ s: { mode: 'one-way', source: 'source', targets: ['target'], tables: ['public.t'] } });
    await repaired(stage);
    await stage.source.script("update parent set v = 'seen'");
    await catchUp(stage.project);
    expect(await differingRows(stage.source, stage.target, 'public.t')).toEqual([]);
  });
});

test('a table that became a partition of another: only that one can be captured now', async () => {
  const { source, project } = await place(T);
  await source.script('create table parent (id integer not null, v text) partition by list (id); alter table parent attach partition t default');
  await source.script("update parent set v = 'unseen'");
  expect((await unsafeTables(source, project))[0]).toMatch(/the table has a parent or heirs now/);
  await expect(project.compile()).rejects.toThrow(/SAR205: public\.t is a partition of public\.parent/);
});

describe('partitions', () => {
  test('attached with rows: only these are sent', async () => {
    const stage = await place(PARTITIONED);
    await stage.target.script('create table t3 partition of t for values from (200) to (300)');
    await stage.source.script("create table t3 (id integer primary key, v text); insert into t3 select g, 'y' from generate_series(200, 250) g");
    await stage.source.script('alter table t attach partition t3 for values from (200) to (300); insert into t3 values (299)');
    expect((await unsafeTables(stage.source, stage.project))[0]).toMatch(/^public\.t: partition public\.t3 is new/);
    expect(await codes(stage.project)).toContain('SAR414 database source, table public.t');
    await noticed(stage);
    await stage.project.compile();
    expect(await codes(stage.project)).toEqual(['SAR513 database source, table public.t3']);
    const before = await applied(stage.target);
    await repaired(stage);
    expect((await applied(stage.target)) - before).toBe(52);
  });

  test.each([
    ['detached', 'alter table t detach partition t2'],
    ['dropped', 'drop table t2'],
  ])('%s: its rows leave the target', async (_, statement) => {
    const stage = await place(PARTITIONED);
    await stage.source.script(statement);
    expect((await unsafeTables(stage.source, stage.project))[0]).toMatch(/partition public\.t2 was detached or dropped/);
    await stage.project.compile();
    await repaired(stage);
    expect(await stage.target.query('select count(*)::int as n from t')).toEqual([{ n: 10 }]);
  });

  test('dropped on both sides: the refresh may be skipped by name', async () => {
    const stage = await place(PARTITIONED);
    for (const database of [stage.source, stage.target]) await database.script('drop table t2');
    await stage.project.compile();
    const before = await applied(stage.target);
    await repaired(stage, '--allow', 'skip-refresh:public.t');
    expect((await applied(stage.target)) - before).toBe(0);
  });

  test('detached, changed and attached again', async () => {
    const stage = await place(PARTITIONED);
    await stage.source.script('alter table t detach partition t2; update t2 set id = id + 50; delete from t2 where id = 151');
    await catchUp(stage.project);
    await stage.source.script('alter table t attach partition t2 for values from (100) to (200)');
    expect((await unsafeTables(stage.source, stage.project))[0]).toMatch(/partition public\.t2 was detached and attached again/);
    await repaired(stage);
  });
});

describe('a running runner', () => {
  test('says within seconds which table is unsafe, goes on with the others, and the repair needs no restart', async () => {
    const { source, target, project } = await replicated(`${T} create table other (id integer primary key);`, {
      targetSchema: `${T} delete from t; create table other (id integer primary key);`,
    });
    const following = follow(project);
    await waitUntil('it runs', () => following.events.some(({ kind }) => kind === 'caught-up'));
    await source.script(`${OFF}${WRITES}${ON}`);
    const unsafe = await waitUntil('it has noticed', () => following.events.find((event) => event.kind === 'table-unsafe'));
    expect(unsafe).toMatchObject({ code: 'SAR617', database: 'source', table: 'public.t', reason: expect.stringMatching(/was disabled for a time/) });
    await source.script("insert into other values (1); insert into t values (300, 'seen')");
    await waitUntil('both tables go on', async () => (await target.query('select from other, t where t.id = 300')).length === 1);
    const status = await sarrio(['status', '--json', '--exit-code', '--generated', project.dir], { env: project.env });
    expect(status.exitCode).toBe(2);
    expect(JSON.parse(status.stdout).data.streams[0].unsafe).toMatchObject([{ table: 'public.t', since: expect.any(String) }]);
    expect((await project.apply()).exit).toBe('ok');
    await waitUntil('the target has taken the table anew', async () => (await differingRows(source, target, 'public.t')).length === 0);
    await waitUntil('it says so', () => following.events.some(({ kind }) => kind === 'table-safe'));
    expect(following.events.filter(({ kind }) => kind === 'table-unsafe')).toHaveLength(1);
    expect(following.events.filter(({ kind }) => kind === 'retry')).toEqual([]);
    await following.stop();
  });
});

test('what does not touch capture raises no alarm', async () => {
  const { source, project, follows } = await place(T);
  await source.query('vacuum freeze t');
  await source.query('vacuum full t');
  await source.query('cluster t using t_pkey');
  for (const catalog of ['pg_trigger', 'pg_class', 'pg_proc', 'pg_inherits']) await source.query(`vacuum (full, freeze) pg_catalog.${catalog}`);
  await source.query('analyze');
  await source.query('reindex table t');
  await source.script('alter table t alter v type varchar(50); alter table t alter v type text; alter table t rename to u; alter table u rename to t');
  await source.script('create index on t (v); create view w as select * from t; alter table t replica identity full; truncate t; insert into t values (1)');
  expect(await unsafeTables(source, project)).toEqual([]);
  await follows("update t set v = 'x'");
  await source.script('alter table t rename to u');
  expect((await unsafeTables(source, project))[0]).toMatch(/no table has its name any more/);
  await noticed({ source, project });
  await source.script('update u set id = id + 1; alter table u rename to t');
  expect(await unsafeTables(source, project)).toEqual([]);
  await follows('select');
});

/** Lets a runner look, as it does when it starts. */
async function noticed({ project }: Pick<Replicated, 'project'> & { source: TestDatabase }): Promise<void> {
  const following = follow(project);
  await waitUntil('it has noticed', () => following.events.some(({ kind }) => kind === 'table-unsafe'));
  await following.stop();
}

async function applied(target: TestDatabase): Promise<number> {
  return Number((await target.query('select applied_rows from sarrio.watermark'))[0]?.['applied_rows']);
}
