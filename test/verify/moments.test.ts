import { describe, expect, test } from 'vitest';
import type { TestDatabase } from '../support/database.ts';
import { differingRows } from '../support/compare.ts';
import { freshDatabase } from '../support/databases.ts';
import { catchUp } from '../support/follow.ts';
import { installation } from '../support/installation.ts';
import { purging } from '../support/purging.ts';
import { replicated } from '../support/runner.ts';
import { verified, verifiedWith } from '../support/verified.ts';
import { waitUntil } from '../support/wait.ts';

const T = 'create table t (id integer primary key, v integer);';
const CHANGE = `update t set v = v + 1 where id % 3 = 0; delete from t where id % 100 = 7; insert into t select g, 0 from generate_series(10001, 10100) g`;

const kept = async (source: TestDatabase): Promise<number> => Number((await source.query('select count(*)::int as n from sarrio.delta_public_t'))[0]?.['n']);

describe('what happens between the snapshots of a comparison', () => {
  test.each(['verify.after-scan', 'verify.after-target-snapshot', 'verify.after-source-snapshot'])(
    'writes, a round and a purge at %s are no difference',
    async (place) => {
      const { source, project, follows } = await replicated(T);
      await follows('insert into t select g, 0 from generate_series(1, 1000) g');
      await source.script('update t set v = 1 where id <= 50');
      const purger = await purging(source, (await project.generated()).plan);
      const moments: string[] = [];
      const result = await verifiedWith(project, async (name) => {
        if (name !== place || moments.length > 0) return;
        moments.push(name);
        await source.script(CHANGE);
        await catchUp(project);
        for (let turn = 0; turn < 3; turn += 1) await purger.once();
      });
      expect(moments).toEqual([place]);
      expect(result.results).toMatchObject([{ state: 'equal' }]);
      expect((await verified(project)).exit).toBe('ok');
      for (let turn = 0; turn < 3; turn += 1) await purger.once();
      expect(await kept(source)).toBe(0);
      await purger.close();
    },
  );

  test('a TRUNCATE of the table, which no snapshot hides, is no difference', async () => {
    const { source, target, project, follows } = await replicated(T);
    await follows('insert into t select g, 0 from generate_series(1, 1000) g');
    await source.script('update t set v = 1 where id <= 50');
    const truncated: Promise<unknown>[] = [];
    const isWaitingOrDone = "select from pg_locks where relation = 'public.t'::regclass and mode = 'AccessExclusiveLock' and not granted";
    const result = await verifiedWith(project, async (name) => {
      if (name !== 'verify.after-source-snapshot') return;
      truncated.push(source.query('truncate t'));
      await waitUntil(
        'the statement waits for us, or is done',
        async () =>
          (await source.query(isWaitingOrDone)).length > 0 || (await source.query('select from sarrio.delta_public_t where change_op = $1', ['T'])).length > 0,
      );
    });
    await Promise.all(truncated);
    expect(result.results).toMatchObject([{ state: 'equal', differences: { inFlight: 50 } }]);
    await catchUp(project);
    expect(await target.query('select from t')).toEqual([]);
  });

  test('purging waits only for the pending keys, not for the rows', async () => {
    const { source, project, follows } = await replicated(T);
    await follows('insert into t select g, 0 from generate_series(1, 1000) g');
    await source.script('update t set v = 1 where id <= 50');
    const purger = await purging(source, (await project.generated()).plan);
    const left: number[] = [];
    const result = await verifiedWith(project, async (name) => {
      if (name !== 'verify.after-source-snapshot') return;
      await catchUp(project);
      for (let turn = 0; turn < 3; turn += 1) await purger.once();
      left.push(await kept(source));
    });
    expect(result.results).toMatchObject([{ state: 'equal', differences: { inFlight: 50 } }]);
    expect(left).toEqual([0]);
    await purger.close();
  });
});

describe('tables that cannot be compared at this moment', () => {
  test('before and after their initial copy', async () => {
    const { source, target, project } = await replicated(T, { tables: ['public.t'] });
    await source.script('create table u (id integer primary key); insert into u select generate_series(1, 10)');
    await target.script('create table u (id integer primary key)');
    await project.compile({ s: { mode: 'one-way', source: 'source', targets: ['target'], tables: ['public.*'] } });
    expect((await project.apply()).diagnostics).toEqual([]);
    const before = await verified(project);
    expect(before.exit).toBe('partial');
    expect(before.tables).toMatchObject([{ state: 'equal' }, { state: 'not-compared', target: 'public.u', reason: 'its initial copy is not finished' }]);
    expect(before.text).toContain('public.u  not compared: its initial copy is not finished');
    await catchUp(project);
    expect(await verified(project)).toMatchObject({ exit: 'ok', tables: [{ state: 'equal' }, { state: 'equal', rows: { source: 10, target: 10 } }] });
  });

  test('while a TRUNCATE is on its way', async () => {
    const { source, project, follows } = await replicated(T);
    await follows('insert into t select g, 0 from generate_series(1, 100) g');
    await source.script('truncate t; insert into t values (1, 1)');
    const waiting = await verified(project);
    expect(waiting.exit).toBe('partial');
    expect(waiting.tables[0]?.reason).toContain('a TRUNCATE of it is on its way');
    await catchUp(project);
    expect((await verified(project)).exit).toBe('ok');
  });

  test('in a stream that begins anew', async () => {
    const { source, project } = await replicated(T);
    await source.query("update sarrio.acknowledged set registration = gen_random_uuid(), position = null where sync = 's'");
    expect(await verified(project)).toMatchObject({ exit: 'partial', tables: [{ state: 'not-compared' }] });
  });

  test('in a stream whose target went back to an older backup: refused as a round would be', async () => {
    const { source, target, project, follows } = await replicated(T);
    await follows('insert into t values (1, 1)');
    const [old] = await target.query<{ position: string }>('select position from sarrio.watermark');
    await follows('insert into t values (2, 2)');
    await target.query('update sarrio.watermark set position = $1', [old?.position]);
    const result = await verified(project);
    expect(result).toMatchObject({ exit: 'refused', diagnostics: [{ code: 'SAR604' }], tables: [{ state: 'failed' }] });
    expect(await differingRows(source, target, 'public.t')).toEqual([]);
  });

  test('on a database that is down: the others are compared', async () => {
    const [source, up, down] = [await freshDatabase('source'), await freshDatabase('up'), await freshDatabase('down')];
    for (const database of [source, up, down]) await database.script(`${T} create table u (id integer primary key)`);
    const project = await installation({
      databases: { source, up, down },
      syncs: { s: { mode: 'one-way', source: 'source', targets: ['up', 'down'], tables: ['public.*'] } },
    });
    await project.apply();
    await catchUp(project);
    const server = await freshDatabase('server');
    await server.query(`alter database ${down.name} allow_connections false`);
    await server.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [down.name]);
    const result = await verified(project);
    await server.query(`alter database ${down.name} allow_connections true`);
    expect(result.exit).toBe('failed');
    expect(result.diagnostics.map(({ code }) => code)).toEqual(['SAR401']);
    expect(result.tables.map(({ stream, state }) => `${stream.target} ${state}`)).toEqual(['up equal', 'up equal', 'down failed', 'down failed']);
  });
});
