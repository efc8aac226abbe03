import { expect, test } from 'vitest';
import { sarrio } from '../support/cli.ts';
import { catchUp, follow } from '../support/follow.ts';
import { purging } from '../support/purging.ts';
import { replicated } from '../support/runner.ts';
import { waitUntil } from '../support/wait.ts';

test('a publication FOR ALL TABLES on both ends stands in the way of nothing of ours', async () => {
  const { source, target, project, follows } = await replicated('create table t (id integer primary key, v text);');
  for (const database of [source, target]) await database.query('create publication everything for all tables');
  await follows("insert into t select g, 'x' from generate_series(1, 300) g");
  await follows("update t set v = 'y' where id < 10; delete from t where id = 20; update t set id = id + 1000");
  await follows('truncate t; insert into t values (1)');
  await source.script('alter table t disable trigger sarrio_insert; insert into t values (2); alter table t enable trigger sarrio_insert');
  const following = follow(project);
  await waitUntil('it has noticed', () => following.events.some(({ kind }) => kind === 'table-unsafe'));
  await following.stop();
  expect((await project.apply()).exit).toBe('ok');
  await follows('select');
  const purger = await purging(source, (await project.generated()).plan);
  for (let turn = 0; turn < 3; turn += 1) await purger.once();
  await purger.close();
  expect(await source.query('select count(*)::int as n from sarrio.delta_public_t')).toEqual([{ n: 0 }]);
  const copied = await sarrio(['copy', '--sync', 's', '--target', 'target', '--replace', '--generated', project.dir], { env: project.env });
  expect(copied.exitCode).toBe(0);
  await catchUp(project);
  await follows('delete from t');
  expect((await project.destroy('--confirm', 'sarrio')).exit).toBe('ok');
});
