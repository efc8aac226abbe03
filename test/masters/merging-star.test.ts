import { expect, test } from 'vitest';
import type { MultiMasterSync } from '../../src/index.ts';
import type { TestDatabase } from '../support/database.ts';
import { freshDatabase } from '../support/databases.ts';
import { catchUp, onAll } from '../support/follow.ts';
import { type Installation, installation } from '../support/installation.ts';
import { at, expectAlike, rowsOf } from '../support/masters.ts';

const NAMES = ['east', 'west', 'north', 'south'] as const;
const between = (members: readonly string[]): MultiMasterSync => {
  return { mode: 'multi-master', members, tables: ['public.t'], onConflict: { counters: ['stock'], otherwise: 'last-update-wins' } };
};

/** The project with one of its syncs alone. */
function only(project: Installation, name: string): Installation {
  const generated = async () => {
    const all = await project.generated();
    return { ...all, plan: { ...all.plan, syncs: Object.fromEntries(Object.entries(all.plan.syncs).filter(([each]) => each === name)) } };
  };
  return { ...project, generated };
}

test('what a round of several transactions did to a counter counts once in another sync that meets it', async () => {
  const members: TestDatabase[] = [];
  for (const name of NAMES) members.push(await freshDatabase(name));
  await onAll(members, 'create table t (id integer primary key, stock integer not null);');
  await at(members, 0).script('insert into t values (1, 10)');
  const databases = Object.fromEntries(NAMES.map((name, index) => [name, at(members, index)]));
  const project = await installation({ databases, syncs: { m: between(['east', 'west', 'north']), n: between(['north', 'south']) } });
  expect((await project.apply()).diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  // The second sync may have copied before the first one had.
  for (let time = 0; time < 2; time += 1) await catchUp(project);
  await expectAlike(members, ['public.t']);
  for (const amount of [1, 2, 4]) await at(members, 0).script(`update t set stock = stock + ${amount}`);
  await catchUp(only(project, 'm'));
  const entries = 'select change_columns::text as columns, change_amounts::text as amounts from sarrio.delta_public_t where change_origin is not null';
  const recorded = await at(members, 2).query<{ columns: string; amounts: string }>(entries);
  expect(recorded.map(({ columns, amounts }) => `${columns} ${amounts}`).sort()).toEqual(['{stock} {"stock": "7"}', '{} {}', '{} {}']);
  await at(members, 3).script('update t set stock = stock + 100');
  await catchUp(project);
  await expectAlike(members, ['public.t']);
  expect(await rowsOf(at(members, 0))).toEqual(['(1,117)']);
});
