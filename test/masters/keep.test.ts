import { expect, test } from 'vitest';
import { onAll, catchUp, follow } from '../support/follow.ts';
import { installation } from '../support/installation.ts';
import { freshDatabase } from '../support/databases.ts';
import { expectAlike, rowsOf } from '../support/masters.ts';
import { mastersOf } from '../support/mastering.ts';
import { waitUntil } from '../support/wait.ts';

const SCHEMA = 'create table old (id integer primary key, v text); create table t (id integer primary key, v text);';

/** Its positions have gone past changes of the new table, which it knew nothing of. */
test('a table that comes to masters whose rows are kept loses nothing that was written while the runner of the old plan went on', async () => {
  const databases = { east: await freshDatabase('east'), west: await freshDatabase('west'), north: await freshDatabase('north') };
  const list = Object.values(databases);
  await onAll(list, `${SCHEMA} insert into t values (1, 'same'), (2, 'same')`);
  const sync = (...tables: readonly string[]) => ({ m: mastersOf(tables, ['east', 'west', 'north'], { existingRows: 'keep' }) });
  const project = await installation({ databases, syncs: sync('public.old') });
  await project.apply();
  await catchUp(project);
  const runner = follow(project);
  const generated = await project.compile(sync('public.old', 'public.t'));
  expect(generated.plan.syncs['m']).toMatchObject({ tables: [{}, {}] });
  expect((await project.apply()).diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  for (const [name, database] of Object.entries(databases)) {
    await database.script(
      `insert into t values (${name.length * 100 + name.charCodeAt(0)}, '${name}'); insert into old values (${name.charCodeAt(0)}, '${name}')`,
    );
    await waitUntil('all have the row of the old table', async () => {
      const counts = await Promise.all(list.map((each) => each.query('select from old where v = $1', [name])));
      return counts.every(({ length }) => length === 1);
    });
  }
  await runner.stop();
  await databases.west.script("update t set v = 'west' where id = 2");
  await catchUp(project);
  await expectAlike(list, ['public.old', 'public.t']);
  expect((await rowsOf(databases.north)).length).toBe(5);
  expect(await rowsOf(databases.north)).toContain('(2,west)');
  for (const database of list) expect(await database.query('select * from sarrio.held')).toEqual([]);
});
