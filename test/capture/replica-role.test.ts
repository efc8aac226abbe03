import { describe, expect, onTestFinished, test } from 'vitest';
import type { OneWaySync, TableConfig } from '../../src/index.ts';
import { capturing } from '../support/captured.ts';
import { differingRows } from '../support/compare.ts';
import { freshDatabase } from '../support/databases.ts';
import { catchUp, onAll } from '../support/follow.ts';
import { installation } from '../support/installation.ts';

const T = 'create table t (id integer primary key, v text);';
const PARTITIONED = `create table t (id integer primary key, v text) partition by range (id);
  create table t1 partition of t for values from (0) to (100); create table t2 partition of t for values from (100) to (200);`;
const FAMILY = 'create table t (id integer primary key, v text); create table child (primary key (id)) inherits (t);';
const ALWAYS: TableConfig = { table: 'public.t', captureTriggers: 'always' };
const REPLICA = 'set session_replication_role = replica;';

describe('captureTriggers: always captures sessions with session_replication_role = replica', () => {
  test.each([
    ['a table', T],
    ['a partitioned table', PARTITIONED],
    ['a table of an inheritance hierarchy', FAMILY],
  ])('%s', async (_, schema) => {
    const { captured, project } = await capturing(schema, ALWAYS);
    expect(await captured(`${REPLICA} insert into t values (1), (2); update t set id = 3 where id = 1; delete from t where id = 2`)).toEqual([
      'D 1',
      'D 2',
      'I 1',
      'I 2',
      'U 3',
    ]);
    expect((await captured(`${REPLICA} truncate t`)).every((entry) => entry === 'T')).toBe(true);
    expect(await captured("insert into t values (5); update t set v = 'x'")).toEqual(['I 5', 'U 5']);
    expect((await project.plan('--exit-code')).exit).toBe('ok');
  });

  test('a session that only says that it applies is captured all the same', async () => {
    const { source, captured } = await capturing(T, ALWAYS);
    await source.query("insert into sarrio.watermark (sync, source, position, registration) values ('s', 'x', '1.1.1/3:3:', gen_random_uuid())");
    const app = `app_${source.name}`;
    await source.script(`create role ${app} superuser; alter role ${app} nosuperuser; grant all on t to ${app}; grant usage on schema sarrio to ${app};`);
    onTestFinished(() => source.script(`drop owned by ${app}; drop role ${app}`));
    expect(
      await captured(
        `${REPLICA} set role ${app}; set application_name = 'sarrio target'; set sarrio.applying = 'yes'; set sarrio.xmax = '3'; insert into t values (1)`,
      ),
    ).toEqual(['I 1']);
    await expect(source.script(`set role ${app}; select from sarrio.watermark for update`)).rejects.toThrow(/permission denied/);
    await expect(source.script(`set role ${app}; select from sarrio.watermark`)).rejects.toThrow(/permission denied/);
  });

  test('what another session holds a lock on makes no difference', async () => {
    const { source, captured } = await capturing(T, ALWAYS);
    await source.query("insert into sarrio.watermark (sync, source, position, registration) values ('s', 'x', '1.1.1/3:3:', gen_random_uuid())");
    const applying = await source.connect();
    await applying.query('begin; select from sarrio.watermark for update');
    expect(await captured(`${REPLICA} insert into t values (1)`)).toEqual(['I 1']);
    await applying.query(`${REPLICA} insert into t values (2); rollback`);
    await applying.end();
  });

  test('the role that applies must own the table, and plan says so', async () => {
    const [source, target] = [await freshDatabase('source'), await freshDatabase('target')];
    await onAll([source, target], T);
    const role = `user_${source.name}`;
    await source.script(`create role ${role} login; grant create on database ${source.name} to ${role}; grant select, trigger on t to ${role}`);
    onTestFinished(() => source.script(`drop owned by ${role} cascade; drop role ${role}`));
    const url = new URL(source.url);
    url.username = role;
    const sync: OneWaySync = { mode: 'one-way', source: 'source', targets: ['target'], tables: [ALWAYS] };
    const project = await installation({ databases: { source, target }, syncs: { s: sync }, urls: { source: url.href } });
    const refused = await project.apply();
    expect(refused.diagnostics.map(({ code, message }) => `${code} ${message}`)).toEqual([
      `SAR407 captureTriggers: 'always' needs the table's owner, and role ${role} does not own public.t`,
    ]);
    await source.script(`alter table t owner to ${role}`);
    expect((await project.apply()).diagnostics).toEqual([]);
  });
});

test('two syncs over one table must agree', async () => {
  const [source, one, two] = [await freshDatabase('source'), await freshDatabase('one'), await freshDatabase('two')];
  await onAll([source, one, two], T);
  const sync = (target: string, table: string | TableConfig): OneWaySync => ({ mode: 'one-way', source: 'source', targets: [target], tables: [table] });
  const compiled = installation({ databases: { source, one, two }, syncs: { first: sync('one', ALWAYS), second: sync('two', 'public.t') } });
  await expect(compiled).rejects.toThrow(/SAR247: public\.t has captureTriggers 'origin' here and 'always' in sync 'first'/);
});

describe('cascades over a table that is captured always', () => {
  const hop = (source: string, target: string, more: Partial<OneWaySync> = {}): OneWaySync => ({
    mode: 'one-way',
    source,
    targets: [target],
    tables: ['public.t'],
    ...more,
  });

  async function chain() {
    const [a, b, c] = [await freshDatabase('a'), await freshDatabase('b'), await freshDatabase('c')];
    await onAll([a, b, c], T);
    const project = await installation({ databases: { a, b, c }, syncs: { first: hop('a', 'b'), second: hop('b', 'c', { captureTriggers: 'always' }) } });
    expect((await project.apply()).diagnostics).toEqual([]);
    const arrived = async (): Promise<readonly unknown[]> => {
      await catchUp(project);
      await catchUp(project);
      expect(await differingRows(a, b, 'public.t')).toEqual([]);
      expect(await differingRows(b, c, 'public.t')).toEqual([]);
      const entries = await b.query("select coalesce(change_sync, 'captured') as by, count(*)::int as n from sarrio.delta_public_t group by 1 order by 1");
      await b.query('truncate sarrio.delta_public_t');
      return entries;
    };
    return { a, b, c, project, arrived };
  }

  test('what is applied there is recorded once, by the apply, and arrives once', async () => {
    const { a, b, arrived } = await chain();
    await a.query("insert into t select g, 'copied' from generate_series(1, 50) g");
    expect(await arrived()).toEqual([{ by: 'first', n: 1 }]);
    await a.script("update t set v = 'few' where id < 5; delete from t where id = 9; update t set id = 1000 where id = 10");
    expect(await arrived()).toEqual([{ by: 'first', n: 7 }]);
    await a.query("insert into t select g, 'staged' from generate_series(2000, 2999) g");
    expect(await arrived()).toEqual([{ by: 'first', n: 1000 }]);
    await a.query("update t set v = 'staged update'");
    expect((await arrived()).every((entry) => JSON.stringify(entry).includes('first'))).toBe(true);
    await a.script('truncate t; insert into t values (1)');
    expect(await arrived()).toEqual([{ by: 'first', n: 1 }]);
    expect(await b.query('select id from t')).toEqual([{ id: 1 }]);
  });

  test('what another tool writes there as a replica arrives as well, also in the middle of our rounds', async () => {
    const { a, b, c, project, arrived } = await chain();
    await arrived();
    await b.script(`${REPLICA} insert into t values (-1, 'restored')`);
    await a.query("insert into t select g, 'x' from generate_series(1, 300) g");
    await b.script(`${REPLICA} delete from t where id = -1`);
    expect(await arrived()).toEqual([
      { by: 'captured', n: 2 },
      { by: 'first', n: 300 },
    ]);
    await b.script(`${REPLICA} update t set v = 'by a tool'`);
    await catchUp(project);
    expect(await differingRows(b, c, 'public.t')).toEqual([]);
    expect(await c.query("select count(*)::int as n from t where v = 'by a tool'")).toEqual([{ n: 300 }]);
  });
});
