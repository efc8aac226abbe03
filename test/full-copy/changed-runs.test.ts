import { expect, test } from 'vitest';
import { differingRows } from '../support/compare.ts';
import { copied, finished } from '../support/copying.ts';
import { catchUp, copyOnce } from '../support/follow.ts';
import type { TestDatabase } from '../support/database.ts';

const TABLE = 'create table t (id bigint primary key, v text, n numeric);';

/** Ids 7 apart: more than are compared key for key, but near enough for runs of neighbours. */
const MANY = "insert into t select g * 7, 'v' || g, g from generate_series(1, 150000) g";

async function writtenSince(target: TestDatabase, xid: string | undefined): Promise<readonly unknown[]> {
  return (await target.query<{ id: string }>('select id from t where xmin::text::bigint >= $1 order by id', [xid])).map(({ id }) => id);
}

async function now(target: TestDatabase): Promise<string | undefined> {
  return (await target.query<{ xid: string }>('select pg_current_xact_id()::text as xid'))[0]?.xid;
}

test('a large table: what differs is found in runs, and in finer ones within them, and nothing else is written', async () => {
  const { source, target, project } = await copied(TABLE, { method: 'changed-only' });
  await source.script(`${MANY}; analyze t`);
  await catchUp(project);
  await target.script('analyze t');
  const before = await now(target);
  // The first and the last row, both sides of the border between two runs (16 keys each), a new row, rows only there, values exchanged by neighbours.
  await source.script(`
    update t set v = null where id in (7, 1050000); update t set n = 1.0 where id = 7;
    update t set v = '' where id in (112 * 70 - 7, 112 * 70);
    insert into t values (8, 'new', null), (-5, 'before all', 0), (1050001, 'after all', 0);
    update t set v = (select o.v from t as o where o.id = 14014 - t.id) where id in (7000, 7014);
    delete from t where id in (14, 700000)`);
  await target.script(
    "update t set v = 'own' where id = 70007; delete from t where id = 77777; insert into t values (1050002, 'theirs', 1), (-9, 'theirs', 1)",
  );
  expect(finished(await copyOnce(project))).toEqual([11]);
  expect(await differingRows(source, target, 'public.t')).toEqual([]);
  expect(await writtenSince(target, before)).toEqual(
    ['-5', '7', '8', '7000', '7014', String(112 * 70 - 7), String(112 * 70), '70007', '77777', '1050000', '1050001'].sort((a, b) => Number(a) - Number(b)),
  );
  expect(finished(await copyOnce(project))).toEqual([0]);
});

test('a large table of which much differs', async () => {
  const { source, target, project } = await copied(TABLE, { method: 'changed-only' });
  await source.script(MANY);
  await catchUp(project);
  await target.script('analyze t');
  const before = await now(target);
  await source.script("update t set v = 'w' where id % 3 = 0; delete from t where id % 1001 = 0");
  await copyOnce(project);
  expect(await differingRows(source, target, 'public.t')).toEqual([]);
  const changed = await source.query<{ id: string }>("select id from t where v = 'w' order by id");
  expect(await writtenSince(target, before)).toEqual(changed.map(({ id }) => id));
});

const LEAST = '-9223372036854775808';
const MOST = '9223372036854775807';

const SPANS: readonly (readonly [string, string])[] = [
  ['at the least of all numbers', `select (${LEAST} + g)::bigint from generate_series(0, 30) g`],
  ['at the greatest', `select (${MOST} - g)::bigint from generate_series(0, 30) g`],
  ['around zero', 'select g::bigint from generate_series(-30, 30) g'],
  ['from the least to the greatest', `values ('${LEAST}'::bigint), (-1), (0), (1), (4294967296), (${MOST})`],
  ['so far apart that there are no neighbours', 'select (g * 1000003)::bigint from generate_series(-500, 500) g'],
];

test.each(SPANS)('keys %s', async (_, ids) => {
  const { source, target, project } = await copied(TABLE, { method: 'changed-only' });
  await source.script(`insert into t select id, 'v', 1 from (${ids}) as i (id)`);
  await catchUp(project);
  await source.script(`update t set v = 'first' where id = (select min(id) from t); update t set v = 'last' where id = (select max(id) from t)`);
  await target.script(
    'delete from t where id = (select id from t order by id offset 2 limit 1); update t set n = 1.0 where id = (select id from t order by id offset 3 limit 1)',
  );
  expect(finished(await copyOnce(project))).toEqual([4]);
  expect(await differingRows(source, target, 'public.t')).toEqual([]);
  await source.script('delete from t');
  await copyOnce(project);
  expect(await target.query('select id from t')).toEqual([]);
});

test('a key of another integer type and name on the target, a row filter', async () => {
  const { source, target, project } = await copied('create table t (id smallint primary key, v text, even boolean);', {
    method: 'changed-only',
    targetSchema: 'create table kept (number bigint primary key, v text);',
    tables: [{ table: 'public.t', rename: 'public.kept', where: 'even', columns: { pick: ['id', 'v'], rename: { id: 'number' } } }],
  });
  await source.script("insert into t select g, 'v' || g, g % 2 = 0 from generate_series(-32768, 32767) g");
  await catchUp(project);
  await source.script("update t set v = 'w' where id in (-32768, 32766, 0); update t set even = not even where id in (1, 2)");
  await target.script("insert into kept values (70000, 'beyond a smallint')");
  expect(finished(await copyOnce(project))).toEqual([5]);
  const rows = 'select count(*)::int as n, sum(hashtext(i || v))::text as hash';
  expect(await target.query(`${rows} from (select number, v from kept) as k (i, v)`)).toEqual(
    await source.query(`${rows} from (select id, v from t where even) as k (i, v)`),
  );
});

test('what two rows of one bucket have exchanged is found, though all their values are hashed by their binary form', async () => {
  const { source, target, project } = await copied('create table t (id uuid primary key, n numeric, at timestamptz);', { method: 'changed-only' });
  await source.script("insert into t select md5(g::text)::uuid, g, timestamptz '2026-01-01' + g * interval '1 s' from generate_series(1, 3000) g");
  await catchUp(project);
  const [pair] = await source.query<{ a: string; b: string }>(
    'select min(id::text) as a, max(id::text) as b from t group by hash_array_extended(array[uuid_send(id)], 0) & 65535 having count(*) = 2 order by 1 limit 1',
  );
  expect(pair).toBeDefined();
  await source.query('update t set n = (select sum(o.n) from t as o where o.id in ($1, $2)) - n where id in ($1, $2)', [pair?.a, pair?.b]);
  expect(finished(await copyOnce(project))).toEqual([2]);
  expect(await differingRows(source, target, 'public.t')).toEqual([]);
});
