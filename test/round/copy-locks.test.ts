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
  const modes = new Set<string>();
  const reads = new Set<string>();
  await catchUp(project, async (point) => {
    if (!point.startsWith('copy.')) return;
    reads.add(point);
    const held = await source.query<{ mode: string }>("select mode from pg_locks where relation = 't'::regclass and pid <> pg_backend_pid()");
    for (const { mode } of held) modes.add(mode);
    await source.query(`set lock_timeout = '1s'; insert into t values (${1000 + reads.size}, 'while it is copied') on conflict do nothing`);
  });
  expect([...modes]).toEqual(['AccessShareLock']);
  expect(reads.has('copy.before-commit')).toBe(true);
  expect(await target.query('select what from fired')).toEqual([]);
  expect(await differingRows(source, target, 'public.t')).toEqual([]);
  await source.query("update t set v = 'new' where id < 300");
  await catchUp(project);
  expect(await target.query('select what from fired')).toEqual([]);
});
