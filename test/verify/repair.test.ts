import { describe, expect, test } from 'vitest';
import type { OneWaySync } from '../../src/index.ts';
import { sarrio } from '../support/cli.ts';
import { differingRows } from '../support/compare.ts';
import { freshDatabase } from '../support/databases.ts';
import { catchUp, onAll } from '../support/follow.ts';
import { installation } from '../support/installation.ts';
import { replicated } from '../support/runner.ts';
import { found, verified, verifiedWith } from '../support/verified.ts';

const T = 'create table t (id integer primary key, v integer);';
const ALL = 'insert into t select g, 100 from generate_series(1, 1000) g';

describe('repair', () => {
  test('is a plan first, and writes nothing then', async () => {
    const { target, project, follows } = await replicated(T);
    await follows(ALL);
    await target.script('delete from t where id < 4; update t set v = 1 where id in (10, 11); insert into t values (-1, 1)');
    const planned = await verified(project, '--repair');
    expect(planned).toMatchObject({ exit: 'differs', data: { repair: 'planned' } });
    expect(planned.text).toContain('public.t on target (sync s): 3 inserts, 2 updates, 1 deletes');
    expect(planned.text).toContain('Nothing was written');
    expect(found(await verified(project))).toEqual(found(planned));
  });

  test('writes the differences, says so before, and nothing else is touched', async () => {
    const { source, target, project, follows } = await replicated(T);
    await follows(ALL);
    await target.script('delete from t where id < 4; update t set v = 1 where id in (10, 11); insert into t values (-1, 1)');
    await target.script(`create table written (id integer); create function note() returns trigger language plpgsql
      as 'begin insert into public.written values (coalesce(new.id, old.id)); return null; end';
      create trigger note after insert or update or delete on t for each row execute function note(); alter table t enable always trigger note;`);
    const repaired = await verified(project, '--repair', '--yes');
    expect(repaired).toMatchObject({ exit: 'ok', data: { repair: 'written' }, tables: [{ state: 'repaired', repair: { written: 6, leftToRound: 0 } }] });
    expect(repaired.stderr).toContain('public.t: writing 3 inserts, 2 updates, 1 deletes');
    expect((await target.query('select id from written order by id')).map(({ id }) => id)).toEqual([-1, 1, 2, 3, 10, 11]);
    expect(await differingRows(source, target, 'public.t')).toEqual([]);
    expect((await verified(project, '--repair', '--yes')).text).toContain('1 table: 1 equal');
  });

  test('of more keys than travel at once, with unique values that swap', async () => {
    const { source, target, project, follows } = await replicated('create table t (id integer primary key, code integer unique);', { existingRows: 'refuse' });
    await follows('insert into t select g, g from generate_series(1, 12000) g');
    await target.script('begin; delete from t; insert into t select 12001 - g, g from generate_series(1, 11000) g; insert into t values (-5, 99999); commit');
    const repaired = await verified(project, '--repair', '--yes');
    expect(repaired).toMatchObject({ exit: 'ok', tables: [{ state: 'repaired' }] });
    expect(await differingRows(source, target, 'public.t')).toEqual([]);
  });

  test('leaves a key whose change came meanwhile to the round: the target never shows what is newer than its watermark', async () => {
    const { source, target, project, follows } = await replicated(T);
    await follows(ALL);
    await target.query('update t set v = 90 where id in (1, 2)');
    const result = await verifiedWith(
      project,
      async (name) => {
        if (name === 'repair.before-begin') await source.script('begin; update t set v = v - 7 where id = 1; update t set v = v + 7 where id = 3; commit');
      },
      true,
    );
    expect(result.results).toMatchObject([{ state: 'repaired', repair: { written: 1, leftToRound: 1 } }]);
    expect(await target.query('select id, v from t where id < 4 order by id')).toEqual([
      { id: 1, v: 90 },
      { id: 2, v: 100 },
      { id: 3, v: 100 },
    ]);
    await catchUp(project);
    expect(await differingRows(source, target, 'public.t')).toEqual([]);
  });

  test('a round that comes between comparing and writing is not undone', async () => {
    const { source, target, project, follows } = await replicated(T);
    await follows(ALL);
    await target.query('update t set v = 90 where id in (1, 2, 3)');
    const result = await verifiedWith(
      project,
      async (name) => {
        if (name !== 'repair.before-begin') return;
        await source.script('update t set v = 5 where id = 1; delete from t where id = 2');
        await catchUp(project);
      },
      true,
    );
    expect(result.results).toMatchObject([{ state: 'repaired', repair: { written: 3, leftToRound: 0 } }]);
    expect(await differingRows(source, target, 'public.t')).toEqual([]);
  });

  test('a table that a TRUNCATE is on its way to is left', async () => {
    const { source, target, project, follows } = await replicated(T);
    await follows(ALL);
    await target.query('update t set v = 90 where id = 1');
    const result = await verifiedWith(project, async (name) => void (name === 'repair.before-begin' && (await source.query('truncate t'))), true);
    expect(result.results).toMatchObject([{ state: 'differs', reason: expect.stringContaining('not repaired: a TRUNCATE') }]);
    await catchUp(project);
    expect(await differingRows(source, target, 'public.t')).toEqual([]);
  });

  test('killed before its commit it has written nothing; the next one writes it all', async () => {
    const { source, target, project, follows } = await replicated(T);
    await follows(ALL);
    await target.script('delete from t where id < 4');
    const env = { ...project.env, SARRIO_FAILPOINT: 'repair.before-commit=kill' };
    const killed = await sarrio(['verify', '--repair', '--yes', '--generated', project.dir], { env });
    expect(killed.exitCode).not.toBe(0);
    expect((await verified(project)).tables[0]?.differences).toMatchObject({ missing: 3 });
    expect((await verified(project, '--repair', '--yes')).exit).toBe('ok');
    expect(await differingRows(source, target, 'public.t')).toEqual([]);
  });

  test('goes on to the databases that follow the target', async () => {
    const [first, second, third] = [await freshDatabase('first'), await freshDatabase('second'), await freshDatabase('third')];
    await onAll([first, second, third], T);
    const hop = (source: string, target: string): OneWaySync => ({ mode: 'one-way', source, targets: [target], tables: ['public.t'] });
    const project = await installation({ databases: { first, second, third }, syncs: { a: hop('first', 'second'), b: hop('second', 'third') } });
    expect((await project.apply()).diagnostics).toEqual([]);
    await first.script(ALL);
    await catchUp(project);
    await catchUp(project);
    // What a replica session does is captured nowhere, so the third database does not hear of it.
    for (const database of [second, third]) {
      await database.script(
        'set session_replication_role = replica; delete from t where id < 4; update t set v = 1 where id = 10; insert into t values (-1, 1)',
      );
    }
    expect(await verified(project)).toMatchObject({ exit: 'differs', tables: [{ state: 'differs' }, { state: 'equal' }] });
    expect((await verified(project, '--sync', 'a', '--repair', '--yes')).exit).toBe('ok');
    expect((await verified(project, '--sync', 'b')).tables[0]?.differences).toMatchObject({ inFlight: 5 });
    await catchUp(project);
    expect(await verified(project)).toMatchObject({ exit: 'ok' });
    expect(await differingRows(first, third, 'public.t')).toEqual([]);
  });
});
