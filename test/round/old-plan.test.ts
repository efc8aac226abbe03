import { expect, test } from 'vitest';
import type { MultiMasterSync, OneWaySync, SyncConfig } from '../../src/index.ts';
import type { TestDatabase } from '../support/database.ts';
import { freshDatabase } from '../support/databases.ts';
import { catchUp, cutOff, onAll } from '../support/follow.ts';
import { type Installation, installation } from '../support/installation.ts';
import { mastersOf } from '../support/mastering.ts';
import { expectAlike } from '../support/masters.ts';
import { type Purging, purging } from '../support/purging.ts';

/** A table has come to running syncs, and a runner that still has the plan of before goes on beside one that knows the table. */
const SCHEMA = "create table old (id integer primary key, v text); create table t (id integer primary key, v text); insert into t values (1, 'same')";

const keeping = (members: readonly string[], tables: readonly string[]): MultiMasterSync => mastersOf([...tables], members, { existingRows: 'keep' });
const oneWay = (tables: readonly string[], more: Partial<OneWaySync>): OneWaySync => {
  return { mode: 'one-way', source: 'east', targets: ['west', 'north'], tables: [...tables], ...more };
};

type Syncs = (tables: readonly string[]) => Readonly<Record<string, SyncConfig>>;

/** How the table comes to the targets: copied, or with the rows that it has. */
const WAYS: Readonly<Record<string, Syncs>> = {
  'one way, copied': (tables) => ({ s: oneWay(tables, { existingRows: 'replace' }) }),
  'one way, kept': (tables) => ({ s: oneWay(tables, { existingRows: 'keep' }) }),
  'masters, copied': (tables) => ({ m: mastersOf([...tables], ['east', 'west', 'north'], { existingRows: 'replace' }) }),
  'masters, kept': (tables) => ({ m: keeping(['east', 'west', 'north'], tables) }),
  'a ring, kept': (tables) => ({ ew: keeping(['east', 'west'], tables), wn: keeping(['west', 'north'], tables), ne: keeping(['north', 'east'], tables) }),
};

type Stage = {
  readonly databases: Readonly<Record<'east' | 'west' | 'north', TestDatabase>>;
  /** With the plan that knows both tables. */
  readonly project: Installation;
  /** The same with the plan of before. */
  readonly yesterday: Installation;
  /** What the plan of now empties at the first database, as often as it can. */
  readonly purger: Purging;
  /** Writes a row of both tables at east. */
  write(id: number): Promise<void>;
};

async function stage(syncs: Syncs): Promise<Stage> {
  const databases = { east: await freshDatabase('east'), west: await freshDatabase('west'), north: await freshDatabase('north') };
  await onAll(Object.values(databases), SCHEMA);
  const project = await installation({ databases, syncs: syncs(['public.old']) });
  await project.approve();
  await catchUp(project);
  const before = await project.generated();
  const { plan } = await project.compile(syncs(['public.old', 'public.t']));
  expect((await project.approve()).diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  return {
    databases,
    project,
    yesterday: { ...project, generated: async () => before },
    purger: await purging(databases.east, plan, 'east'),
    write: (id) => databases.east.script(`insert into t values (${id}, 'east'); insert into old values (${id}, 'east')`),
  };
}

async function purgeOften({ once }: Purging): Promise<void> {
  for (let turn = 0; turn < 4; turn += 1) await once();
}

const kept = (database: TestDatabase): Promise<readonly unknown[]> => database.query('select from sarrio.delta_public_t');

test.each(Object.entries(WAYS))('nothing of a table is lost by runners that do not know it: %s', async (way, syncs) => {
  const { databases, project, yesterday, purger, write } = await stage(syncs);
  const all = Object.values(databases);
  // A runner that does not know the table acknowledges more than the targets have of it.
  await write(10);
  await catchUp(yesterday);
  expect(await databases.north.query('select v from old where id = 10')).toHaveLength(1);
  await purgeOften(purger);
  if (way.endsWith('kept')) expect(await kept(databases.east)).toHaveLength(1);
  await catchUp(project);
  await expectAlike(all, ['public.old', 'public.t']);
  // It takes over once more, from one that has brought the table.
  await write(20);
  await catchUp(yesterday);
  await purgeOften(purger);
  await write(21);
  await databases.east.script("update t set v = 'changed' where id = 10");
  await catchUp(yesterday);
  await purgeOften(purger);
  expect(await databases.north.query('select v from t where id in (20, 21)')).toEqual([]);
  await catchUp(project);
  await expectAlike(all, ['public.old', 'public.t']);
  // Then everybody knows it, and what everybody has goes.
  await write(30);
  await catchUp(project);
  await purgeOften(purger);
  expect(await kept(databases.east)).toEqual([]);
  await purger.close();
});

const POINTS = ['acknowledge.after-write', 'acknowledge.before-write', 'masters.commit-sent', 'acknowledge.after-note', 'masters.before-commit'] as const;

test('runners of both plans that are ended anywhere, in turn, lose nothing and keep nobody from going on', async () => {
  const { databases, project, yesterday, purger, write } = await stage(WAYS['masters, kept'] ?? (() => ({})));
  for (const [turn, point] of POINTS.entries()) {
    for (const [step, runner] of [project, yesterday].entries()) {
      await write(100 + 2 * turn + step);
      await databases.west.script(`insert into t values (${200 + 2 * turn + step}, 'west')`);
      await cutOff(runner, point, 1);
      await purgeOften(purger);
    }
  }
  await catchUp(project);
  await expectAlike(Object.values(databases), ['public.old', 'public.t']);
  await purger.close();
});
