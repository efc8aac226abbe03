import { expect, test } from 'vitest';
import { differingRows } from '../support/compare.ts';
import { freshDatabase } from '../support/databases.ts';
import { catchUp, onAll } from '../support/follow.ts';
import { installation } from '../support/installation.ts';
import { purging } from '../support/purging.ts';

/** Source with two targets, and a function that purges once with tiny segments. */
async function purgeable() {
  const [source, one, two] = [await freshDatabase('source'), await freshDatabase('one'), await freshDatabase('two')];
  await onAll([source, one, two], 'create table items (id integer primary key, v integer);');
  const sync = (target: string) => ({ mode: 'one-way', source: 'source', targets: [target], tables: ['public.items'] }) as const;
  const project = await installation({ databases: { source, one, two }, syncs: { first: sync('one'), second: sync('two') } });
  await project.apply();
  const { plan } = await project.generated();
  const purgeOnce = async (): Promise<void> => {
    const purger = await purging(source, plan);
    await purger.once();
    await purger.close();
  };
  const kept = async (): Promise<number> => Number((await source.query('select count(*)::int as n from sarrio.delta_public_items'))[0]?.['n']);
  return { source, one, two, project, purgeOnce, kept };
}

test('empties segments only when every target has acknowledged, whatever is written meanwhile', async () => {
  const { source, one, two, project, purgeOnce, kept } = await purgeable();
  await source.query('insert into items select g, 0 from generate_series(1, 500) g');
  await purgeOnce();
  await purgeOnce();
  expect(await kept()).toBe(500);
  await catchUp(project);
  for (let turn = 1; turn <= 4; turn += 1) {
    await source.query('update items set v = $1 where id % 3 = 0', [turn]);
    // The first leaves the segment, the second would empty it.
    await purgeOnce();
    await purgeOnce();
    await catchUp(project);
    await purgeOnce();
  }
  await purgeOnce();
  expect(await kept()).toBeLessThan(400);
  expect(await differingRows(source, one, 'public.items')).toEqual([]);
  expect(await differingRows(source, two, 'public.items')).toEqual([]);
});

test('an open transaction holds only the segment that it wrote to', async () => {
  const { source, one, project, purgeOnce, kept } = await purgeable();
  await catchUp(project);
  const slow = await source.connect();
  await slow.query('begin; insert into items values (1, 1)');
  for (let turn = 2; turn <= 6; turn += 1) {
    await source.query('insert into items values ($1, 0)', [turn]);
    await purgeOnce();
    await catchUp(project);
    await purgeOnce();
  }
  expect(await kept()).toBeLessThan(5);
  await slow.query('commit');
  await slow.end();
  await catchUp(project);
  expect(await differingRows(source, one, 'public.items')).toEqual([]);
});

test('a watermark of another timeline holds everything', async () => {
  const { source, project, purgeOnce, kept } = await purgeable();
  await catchUp(project);
  await source.query('insert into items values (1, 1)');
  await catchUp(project);
  await source.query(`update sarrio.acknowledged set position = regexp_replace(position, '\\.(\\d+)/', '.77/')`);
  await purgeOnce();
  await purgeOnce();
  expect(await kept()).toBe(1);
});
