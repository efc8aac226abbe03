import { expect, test } from 'vitest';
import { differingRows } from '../support/compare.ts';
import { catchUp } from '../support/follow.ts';
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
