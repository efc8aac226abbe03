import { expect, test } from 'vitest';
import { differingRows } from '../support/compare.ts';
import type { SyncConfig } from '../../src/index.ts';
import { freshDatabase } from '../support/databases.ts';
import { catchUp, cutOff, onAll } from '../support/follow.ts';
import { installation } from '../support/installation.ts';
import { mastersOf } from '../support/mastering.ts';
import { leftAlone, rangesOf } from '../support/ranges.ts';
import { oneWayPair } from '../support/one-way.ts';

/** A trigger writes down whatever fires it. */
const SCHEMA = `
  create table t (id integer primary key, v text);
  create table fired (what text);
  create function note() returns trigger language plpgsql as 'begin insert into fired values (tg_op); return null; end';
  create trigger note after insert or update or delete on t for each row execute function note();
`;

test('an initial copy takes no lock at the source that keeps a writer waiting, and fires no trigger of the target', async () => {
  const { source, target, project } = await oneWayPair(SCHEMA, { tables: ['public.t'] });
  await source.script("insert into t select g, 'old' from generate_series(1, 500) g");
  const writer = await source.connect();
  try {
    // Only ACCESS SHARE goes together with this.
    await writer.query("begin; lock table t in exclusive mode; insert into t values (1000, 'while it is copied')");
    await catchUp(project);
    expect(await target.query('select from t')).toHaveLength(500);
    await writer.query('commit');
  } finally {
    await writer.end();
  }
  await source.query("update t set v = 'new' where id < 300");
  await catchUp(project);
  expect(await differingRows(source, target, 'public.t')).toEqual([]);
  expect(await target.query('select what from fired')).toEqual([]);
});

/** A copy in ranges reads every range under a lock of its own, and between masters it is the first member that goes on. */
test.each(['one-way', 'multi-master'] as const)('nor does a copy in ranges (%s), whether the target is empty or the run before was cut off', async (mode) => {
  const copy = { chunk: '1 MB' } as const;
  const [source, target] = [await freshDatabase('source'), await freshDatabase('target')];
  await onAll([source, target], SCHEMA);
  const sync: SyncConfig =
    mode === 'one-way' ? { mode, source: 'source', targets: ['target'], tables: ['public.t'], copy } : mastersOf(['public.t'], ['source', 'target'], { copy });
  const project = await installation({ databases: { source, target }, syncs: { s: sync } });
  expect((await project.apply()).diagnostics).toEqual([]);
  await source.script("insert into t select g, repeat('x', 200) from generate_series(1, 15000) g; delete from fired");
  const writer = await source.connect();
  try {
    await writer.query("begin; lock table t in exclusive mode; insert into t values (100000, 'while it is copied')");
    await cutOff(project, 'copy.after-range', 1);
    await leftAlone({ source, target });
    const events = await catchUp(project);
    expect(rangesOf(events).length).toBeGreaterThan(0);
    expect(await target.query('select from t')).toHaveLength(15000);
    await writer.query('commit');
  } finally {
    await writer.end();
  }
  await catchUp(project);
  expect(await differingRows(source, target, 'public.t')).toEqual([]);
  expect(await target.query('select what from fired')).toEqual([]);
});
