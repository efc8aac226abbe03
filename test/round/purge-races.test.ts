import { expect, test } from 'vitest';
import type { OneWaySync } from '../../src/index.ts';
import { sarrio } from '../support/cli.ts';
import { differingRows } from '../support/compare.ts';
import type { TestDatabase } from '../support/database.ts';
import { freshDatabase } from '../support/databases.ts';
import { catchUp, follow, onAll } from '../support/follow.ts';
import { installation } from '../support/installation.ts';
import { purging } from '../support/purging.ts';
import { waitUntil } from '../support/wait.ts';

const T = 'create table t (id integer primary key, v integer);';
const hop = (...targets: string[]): OneWaySync => ({ mode: 'one-way', source: 'source', targets, tables: ['public.t'] });
const kept = async (source: TestDatabase): Promise<number> => Number((await source.query('select count(*)::int as n from sarrio.delta_public_t'))[0]?.['n']);

async function stage(syncs: Readonly<Record<string, OneWaySync>>) {
  const [source, one, two] = [await freshDatabase('source'), await freshDatabase('one'), await freshDatabase('two')];
  await onAll([source, one, two], T);
  const project = await installation({ databases: { source, one, two }, syncs });
  expect((await project.apply()).diagnostics).toEqual([]);
  return { source, one, two, project };
}

test('rounds stay exact while segments are switched and emptied as fast as can be', async () => {
  const { source, one, two, project } = await stage({ s: hop('one', 'two') });
  await source.query('insert into t select g, 0 from generate_series(1, 500) g');
  const purger = await purging(source, (await project.generated()).plan);
  const running = follow(project);
  const state = { on: true, turns: 0 };
  const writers = [1, 2, 3].map(async (seed) => {
    for (let turn = 0; state.on; turn += 1) {
      const id = 1 + ((turn * 31 + seed) % 500);
      await source.query(
        turn % 40 === 39
          ? `begin; update t set v = v + 1 where id % 5 = ${seed}; commit`
          : `begin; delete from t where id = ${id}; insert into t values (${id}, ${turn}) on conflict (id) do update set v = excluded.v; ${turn % 7 === 0 ? 'rollback' : 'commit'}`,
      );
      state.turns += 1;
    }
  });
  await waitUntil('segments were emptied many times', async () => {
    await purger.once();
    return purger.events.length >= 5 && state.turns > 300;
  });
  state.on = false;
  await Promise.all(writers);
  await running.stop();
  await purger.close();
  await catchUp(project);
  expect(await differingRows(source, one, 'public.t')).toEqual([]);
  expect(await differingRows(source, two, 'public.t')).toEqual([]);
});

test('a target that never started holds everything', async () => {
  const { source, project } = await stage({ first: hop('one'), second: hop('two') });
  await source.query('insert into t values (1, 1)');
  const started = await sarrio(['run', '--sync', 'first', '--until-caught-up', '--generated', project.dir], { env: project.env });
  expect(started.exitCode).toBe(0);
  const purger = await purging(source, (await project.generated()).plan);
  for (let turn = 0; turn < 4; turn += 1) await purger.once();
  expect(await kept(source)).toBe(1);
  await purger.close();
});

test('entries that a rolled-back transaction left do not hold a segment', async () => {
  const { source, project } = await stage({ s: hop('one') });
  await source.query('begin; insert into t select g, 0 from generate_series(1, 100) g; rollback');
  await source.query('insert into t values (1, 1)');
  await catchUp(project);
  const purger = await purging(source, (await project.generated()).plan);
  for (let turn = 0; turn < 3; turn += 1) await purger.once();
  expect(await kept(source)).toBe(0);
  expect(
    (await source.query("select sum(pg_relation_size(oid))::int as bytes from pg_class where relname like 'segment%_public_t' and relkind = 'r'"))[0],
  ).toEqual({ bytes: 0 });
  await purger.close();
});

/**
 * A runner that started before an apply goes on with the plan that it read then. Purging by the syncs of that plan, it drops changes
 * that a sync added by the apply still needs.
 */
test('a runner with the plan of yesterday purges nothing that a sync added since then needs', async () => {
  const { source, one, two, project } = await stage({ first: hop('one') });
  const yesterday = (await project.generated()).plan;
  await catchUp(project);
  const purger = await purging(source, yesterday);
  await project.compile({ first: hop('one'), second: hop('two') });
  expect((await project.apply()).diagnostics).toEqual([]);
  await catchUp(project);
  await source.query('insert into t values (1, 1)');
  const first = await sarrio(['run', '--sync', 'first', '--until-caught-up', '--generated', project.dir], { env: project.env });
  expect(first.exitCode).toBe(0);
  expect(await one.query('select id from t')).toEqual([{ id: 1 }]);
  for (let turn = 0; turn < 3; turn += 1) await purger.once();
  await purger.close();
  await catchUp(project);
  expect(await differingRows(source, two, 'public.t')).toEqual([]);
});
