import { beforeAll, expect, test } from 'vitest';
import type { MultiMasterSync, OneWaySync } from '../../src/index.ts';
import { sarrio } from '../support/cli.ts';
import { addRows, ELEVEN, ELEVEN_SCHEMA, numbersAt, removeRows, truncateAll } from '../support/eleven-tables.ts';
import { type Standing, standing } from '../support/standing.ts';

/** The scenarios of Bucardo's `t/20-postgres.t`, one after the other over the same four databases, as there. */
type Name = 'a' | 'b' | 'c' | 'd';
const NAMES: readonly Name[] = ['a', 'b', 'c', 'd'];

/** Members that come in later hold the rows already, or old ones: they get those of the first. */
const between = (...members: readonly Name[]): MultiMasterSync => ({
  mode: 'multi-master',
  members,
  tables: ELEVEN,
  onConflict: 'last-update-wins',
  existingRows: 'replace',
});
const copies = (source: Name, ...targets: readonly Name[]): OneWaySync => ({ mode: 'one-way', source, targets, tables: ELEVEN, existingRows: 'replace' });

const stage: { standing?: Standing<Name> } = {};

beforeAll(async () => {
  const standingNow = await standing({ a: ELEVEN_SCHEMA, b: ELEVEN_SCHEMA, c: ELEVEN_SCHEMA, d: ELEVEN_SCHEMA }, { out: copies('a', 'b', 'c', 'd') });
  stage.standing = standingNow;
  return standingNow.dispose;
});

function four(): Standing<Name> {
  if (stage.standing === undefined) throw new Error('nothing stands');
  return stage.standing;
}

/** The numbers of the rows of each database. */
async function numbers(): Promise<Readonly<Record<Name, readonly number[]>>> {
  const { at } = four();
  return { a: await numbersAt(at.a), b: await numbersAt(at.b), c: await numbersAt(at.c), d: await numbersAt(at.d) };
}

async function expectEverywhere(...expected: readonly number[]): Promise<void> {
  expect(await numbers()).toEqual({ a: expected, b: expected, c: expected, d: expected });
  expect(await four().differences(NAMES, ELEVEN)).toEqual([]);
}

test('a row of every kind of key goes from one to three others, whose triggers and rules stay silent', async () => {
  const { at, settle } = four();
  await addRows(at.a, 'a', 1);
  await settle();
  await expectEverywhere(1);
  expect((await at.a.query('select from fired')).length).toBe(2 * ELEVEN.length);
  for (const name of ['b', 'c', 'd'] as const) expect(await at[name].query('select * from fired')).toEqual([]);
});

test('two of them become masters: their rows go to each other, the other databases are left alone', async () => {
  const { at, reshape, settle } = four();
  await reshape({ two: between('a', 'b') });
  await addRows(at.a, 'a', 3);
  await addRows(at.b, 'b', 4);
  await settle();
  expect(await numbers()).toEqual({ a: [1, 3, 4], b: [1, 3, 4], c: [1], d: [1] });
});

test('a sync that rests moves nothing and says so; nothing is forgotten meanwhile', async () => {
  const { at, project, settle } = four();
  const run = (verb: string) => sarrio([verb, '--sync', 'two', '--generated', project.dir], { env: project.env });
  expect((await run('pause')).exitCode).toBe(0);
  await removeRows(at.a, 3, 4);
  await addRows(at.b, 'b', 5);
  await expect(settle()).rejects.toMatchObject({ diagnostics: [{ code: 'SAR612' }] });
  expect(await numbers()).toMatchObject({ a: [1], b: [1, 3, 4, 5] });
  expect((await run('resume')).exitCode).toBe(0);
  await settle();
  expect(await numbers()).toMatchObject({ a: [1, 5], b: [1, 5] });
});

test('two masters with two targets: nine inserts on two sides arrive at all four', async () => {
  const { at, reshape, settle } = four();
  await removeRows(at.b, 5);
  await reshape({ two: between('a', 'b'), out: copies('a', 'c', 'd') });
  await expectEverywhere(1);
  await addRows(at.a, 'a', 2, 3, 4);
  await addRows(at.b, 'b', 5, 6, 7, 8, 9, 10);
  await settle();
  await expectEverywhere(1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
});

test('three masters and a target: eight deletes, spread over the three', async () => {
  const { at, reshape, settle } = four();
  await reshape({ three: between('a', 'b', 'c'), out: copies('c', 'd') });
  await removeRows(at.a, 10, 9, 8);
  await removeRows(at.b, 6, 5, 4);
  await removeRows(at.c, 2, 1);
  await settle();
  await expectEverywhere(3, 7);
});

test('the same key inserted on two masters and on three: one row of each is left, the same everywhere', async () => {
  const { at, settle, decided } = four();
  await addRows(at.a, 'a', 1, 2);
  await addRows(at.b, 'b', 1, 2);
  await addRows(at.c, 'c', 2);
  await settle();
  await expectEverywhere(1, 2, 3, 7);
  for (const table of ELEVEN) expect(await decided(table)).toEqual(['insert/insert take b', 'insert/insert/insert take c']);
});

test('one row updated on three: the times of the updates decide, not the order of the commits; an apply in between changes nothing', async () => {
  const { at, project, settle } = four();
  const [a, b, c] = [await at.a.connect(), await at.b.connect(), await at.c.connect()];
  for (const [client, value] of [
    [b, 'Bravo'],
    [a, 'Alpha'],
    [c, 'Charlie'],
  ] as const) {
    await client.query('begin');
    await client.query('update by_smallint set data1 = $1 where id = 3', [value]);
  }
  for (const client of [c, b, a]) {
    await client.query('commit');
    await client.end();
  }
  expect(await project.apply()).toMatchObject({ exit: 'ok', diagnostics: [] });
  await settle();
  await expectEverywhere(1, 2, 3, 7);
  expect(await at.d.query('select data1 from by_smallint where id = 3')).toEqual([{ data1: 'Charlie' }]);
});

test('all tables truncated on one master, and one of them on another as well', async () => {
  const { at, settle } = four();
  await truncateAll(at.a);
  await at.c.script('truncate by_date');
  await settle();
  await expectEverywhere();
});

test('truncated on three masters, with rows before and after: what was truncated is gone, what came after it is there', async () => {
  const { at, settle } = four();
  await addRows(at.a, 'a', 1);
  await addRows(at.b, 'b', 2);
  await addRows(at.c, 'c', 3);
  for (const name of ['a', 'b', 'c'] as const) await truncateAll(at[name]);
  await addRows(at.a, 'a', 5);
  await addRows(at.b, 'b', 6);
  await addRows(at.c, 'c', 7);
  await settle();
  await expectEverywhere(5, 6, 7);
});

test('after truncates everything goes on as before', async () => {
  const { at, settle } = four();
  await addRows(at.a, 'a', 2);
  await addRows(at.b, 'b', 3);
  await removeRows(at.c, 5, 6);
  await settle();
  await expectEverywhere(2, 3, 7);
});

test('the target of the masters gets a column computed from theirs; rows that were there before stay until they change', async () => {
  const { at, reshape, settle } = four();
  const computed = { table: 'public.by_smallint', columns: { omit: ['inty'], compute: { inty: 'inty * 30' } } };
  await reshape({ three: between('a', 'b', 'c'), out: { ...copies('c', 'd'), tables: [computed] } });
  await addRows(at.a, 'a', 1);
  await settle();
  expect(await at.d.query('select inty from by_smallint order by inty')).toEqual([{ inty: 2 }, { inty: 3 }, { inty: 7 }, { inty: 30 }]);
  expect(await four().differences(['a', 'b', 'c'], ELEVEN)).toEqual([]);
});
