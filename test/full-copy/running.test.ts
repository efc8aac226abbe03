import { expect, test } from 'vitest';
import { copied, finished } from '../support/copying.ts';
import { catchUp, copyOnce, follow } from '../support/follow.ts';
import { rewriting } from '../support/rewriting.ts';

const T = 'create table t (id integer primary key);';

test('a kick is served once by two runners, and outlives the time in which there is none', async () => {
  const { source, target, project } = await copied(T);
  await source.script('insert into t select generate_series(1, 3)');
  await catchUp(project);
  const runners = [follow(project), follow(project)];
  const served = async () => (await target.query('select copies::int from sarrio.full_copy'))[0]?.['copies'];
  for (const copies of [2, 3]) {
    expect((await project.kick('--sync', 's')).text).toContain('A full copy of sync s is asked for');
    await expect.poll(served, { timeout: 20_000 }).toBe(copies);
  }
  await Promise.all(runners.map((runner) => runner.stop()));
  expect(runners.flatMap(({ events }) => finished(events))).toEqual([3, 3]);
  await project.kick('--sync', 's');
  expect((await catchUp(project)).find(({ kind }) => kind === 'full-copy-started')).toMatchObject({ method: 'delete', reason: 'kicked' });
  expect(finished(await catchUp(project))).toEqual([]);
});

test('a copy is due when its time has come, and status says what was and what will be', async () => {
  const { source, target, project } = await copied(T, { every: '1h' });
  await source.script('insert into t select generate_series(1, 4)');
  expect((await project.plan()).exit).toBe('ok');
  const before = await project.status();
  expect(before.data).toMatchObject({ streams: [{ sync: 's', lastCopy: null, lagSeconds: 0, appliedRows: null }] });
  await catchUp(project);
  expect(finished(await catchUp(project))).toEqual([]);
  expect((await project.status()).data).toMatchObject({ streams: [{ lastCopy: { rows: 4 }, lagSeconds: 0, appliedRows: 4 }] });
  expect((await project.status()).text).toMatch(/last copy of s -> target: .*, 4 rows in .* s; the next one in 3\d{3} s/);
  await target.query("update sarrio.full_copy set copied_at = copied_at - interval '2 hours'");
  expect((await project.status()).text).toContain('the next one is due');
  expect((await catchUp(project)).find(({ kind }) => kind === 'full-copy-started')).toMatchObject({ reason: 'due' });
  expect(finished(await copyOnce(project))).toEqual([4]);
  expect((await project.pause('--sync', 's')).data).toEqual({ sync: 's', changed: true });
  await expect(catchUp(project)).rejects.toThrow('sync s is paused');
});

test('whoever holds the table lets the copy wait, and nobody waits for the copy longer than it waits', async () => {
  const { source, target, project } = await copied(T, { method: 'truncate', lockTimeout: '30ms' });
  await source.script('insert into t select generate_series(1, 5)');
  const holder = await target.connect();
  try {
    await holder.query('begin; select * from t');
    const following = follow(project);
    await expect.poll(() => following.events.filter(({ kind }) => kind === 'full-copy-waits').length, { timeout: 20_000 }).toBeGreaterThan(2);
    expect(await target.query('select count(*)::int as n from t')).toEqual([{ n: 0 }]);
    await holder.query('commit');
    await expect.poll(() => finished(following.events), { timeout: 20_000 }).toEqual([5]);
    await following.stop();
  } finally {
    await holder.end();
  }
});

test('a table that is loaded anew whenever a copy reads has to wait, once the copy came too late for it', async () => {
  const { source, target, project } = await copied('create table t (id integer primary key); create table u (id integer primary key);', {
    tables: ['public.t', 'public.u'],
  });
  await source.script('insert into t select generate_series(1, 5); insert into u values (0)');
  const loading = rewriting(source, [(turn) => `truncate u; insert into u values (${turn})`]);
  await copyOnce(project, async (name) => {
    if (name === 'full-copy.before-load') await loading.begin();
  });
  await loading.end();
  expect(loading.waited()).toBe(1);
  // Before each table of the first copy one came through; the third had to wait.
  expect(await target.query('select id from u')).toEqual([{ id: 2 }]);
});

test('a foreign key that points into the group holds afterwards, or the old rows stay', async () => {
  const { source, target, project } = await copied('create table t (id integer primary key, o integer);', {
    tables: ['public.t'],
    targetSchema: `create table other (id integer primary key); create table t (id integer primary key, o integer references other);
      create table child (id integer primary key, t integer constraint child_t references t);`,
  });
  await source.script('insert into t values (1, null), (2, null)');
  await catchUp(project);
  await target.script('insert into child values (1, 2)');
  await source.script('delete from t where id = 2');
  await expect(copyOnce(project)).rejects.toThrow('foreign key child_t of public.child does not hold: a row points to one that is not in public.t');
  expect(await target.query('select id from t order by id')).toEqual([{ id: 1 }, { id: 2 }]);
  await target.query('delete from child');
  await copyOnce(project);
  expect(await target.query('select id from t order by id')).toEqual([{ id: 1 }]);
});
