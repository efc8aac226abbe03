import { expect, onTestFinished, test } from 'vitest';
import { backUp, restore } from '../support/backup.ts';
import { freshDatabase } from '../support/databases.ts';
import { catchUp, onAll } from '../support/follow.ts';
import { installation } from '../support/installation.ts';
import { mastersOf } from '../support/mastering.ts';
import { expectAlike } from '../support/masters.ts';
import { startServer } from '../support/server.ts';
import { verifiedMasters } from '../support/verified.ts';

test('masters are unverified after a failover until they are found alike, and no repair alone forgives it', { timeout: 180_000 }, async () => {
  const server = await startServer({ durable: false });
  onTestFinished(() => server.dispose());
  const [east, west] = [await freshDatabase('east'), await server.createDatabase('west')];
  onTestFinished(() => west.close());
  await onAll([east, west], 'create table t (id integer primary key, v text); create table u (id integer primary key)');
  await east.script("insert into t select g, 'x' from generate_series(1, 100) g");
  const project = await installation({ databases: { east, west }, syncs: { m: mastersOf(['public.*'], ['east', 'west']) } });
  expect((await project.apply()).diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  await catchUp(project);
  const backup = await backUp(server);
  await restore(server, backup, { newTimeline: true });
  await catchUp(project);
  const doubted = async (): Promise<readonly unknown[]> => east.query('select source from sarrio.watermark where unverified_since is not null');
  expect(await doubted()).toEqual([{ source: 'west' }]);

  await west.script("set session_replication_role = replica; update t set v = 'lost' where id = 7; delete from t where id = 8");
  expect((await verifiedMasters(project)).exit).toBe('differs');
  expect((await verifiedMasters(project, '--table', 'public.u')).exit).toBe('ok');
  expect((await verifiedMasters(project, '--repair', '--from', 'east', '--yes')).exit).toBe('ok');
  expect(await doubted()).toEqual([{ source: 'west' }]);
  await catchUp(project);
  await expectAlike([east, west], ['public.t']);
  expect(await doubted()).toEqual([{ source: 'west' }]);
  expect((await verifiedMasters(project)).exit).toBe('ok');
  expect(await doubted()).toEqual([]);
});
