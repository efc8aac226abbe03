import { beforeAll, expect, test } from 'vitest';
import type { MultiMasterSync, OneWaySync } from '../../src/index.ts';
import { rowsOf } from '../support/masters.ts';
import { type Standing, standing } from '../support/standing.ts';

/** The scenarios of Bucardo's `dev/conflict.test`, `dev/makedelta.test` and `dev/multidb.test`, and of `t/10-makedelta.t`, which go with them. */
type Name = 'a' | 'b' | 'c' | 'd';

/** Parents and children, the parent's key being a unique index; what only A and B exchange; ids handed out in steps. */
const COMMON = `
  create table parent (id integer not null, email text);
  create unique index parent_id on parent (id);
  create table child (id integer primary key, parent integer references parent (id));
  create table ends_at_b (id integer primary key, v text);
  create table composed (x integer, y integer, z integer, v text, primary key (x, y, z));
`;
const stepping = (start: number): string => `
  create sequence steps increment by 3 start with ${start};
  create table stepped (id bigint primary key default nextval('steps'), v text);
`;
/** Of two tables each stands on two of the databases only. */
const [LEFT, RIGHT] = ['create table left_only (id integer primary key, v text);', 'create table right_only (id integer primary key, v text);'];

const named = (table: string): string | { table: string; key: string } =>
  table === 'parent' ? { table: 'public.parent', key: 'parent_id' } : `public.${table}`;

const between = (members: readonly Name[], tables: readonly string[]): MultiMasterSync => ({
  mode: 'multi-master',
  members,
  tables: tables.map(named),
  onConflict: 'last-update-wins',
  sequences: 'ignore',
});
const copies = (source: Name, target: Name, tables: readonly string[]): OneWaySync => ({
  mode: 'one-way',
  source,
  targets: [target],
  tables: tables.map(named),
});

const stage: { standing?: Standing<Name> } = {};

beforeAll(async () => {
  const standingNow = await standing<Name>(
    {
      a: `${COMMON}${stepping(1)}${LEFT}`,
      b: `${COMMON}${stepping(2)}${LEFT}`,
      c: `${COMMON}${stepping(3)}${RIGHT}`,
      d: `${COMMON}${stepping(1)}${RIGHT}`,
    },
    {
      a_b: between(['a', 'b'], ['parent', 'child', 'composed', 'ends_at_b']),
      b_c: between(['b', 'c'], ['parent', 'child', 'composed']),
      c_d: copies('c', 'd', ['parent', 'child', 'composed']),
      a_b_c: between(['a', 'b', 'c'], ['stepped']),
      a_d: copies('a', 'd', ['stepped']),
      left: between(['a', 'b'], ['left_only']),
      right: between(['c', 'd'], ['right_only']),
    },
  );
  stage.standing = standingNow;
  return standingNow.dispose;
});

function four(): Standing<Name> {
  if (stage.standing === undefined) throw new Error('nothing stands');
  return stage.standing;
}

const NAMES: readonly Name[] = ['a', 'b', 'c', 'd'];

test('a child is given to a parent on A while B deletes that parent: the same rows everywhere, the orphan among them', async () => {
  const { at, settle, differences } = four();
  await at.a.script("insert into parent values (1, 'alice'), (2, 'bob'); insert into child values (1, 1)");
  await settle();
  await at.a.script('update child set parent = 2');
  await at.b.script('delete from parent where id = 2');
  await settle();
  expect(await differences(NAMES, ['public.parent', 'public.child'])).toEqual([]);
  expect([await rowsOf(at.d, 'parent'), await rowsOf(at.d, 'child')]).toEqual([['(1,alice)'], ['(1,2)']]);
});

test('where two syncs share a table, a row of A reaches C and D by way of B, and its deletion does, too; a key of three columns goes both ways', async () => {
  const { at, settle, differences } = four();
  await at.a.script("insert into parent values (10, 'carol'), (11, 'dave')");
  await at.b.script("insert into composed values (1, 2, 3, 'b')");
  await at.c.script("insert into composed values (1, 2, 4, 'c')");
  await settle();
  expect(await rowsOf(at.d, 'parent')).toEqual(expect.arrayContaining(['(10,carol)', '(11,dave)']));
  await at.a.script('delete from parent where id = 11; update composed set z = 5 where z = 4');
  await settle();
  expect(await rowsOf(at.d, 'parent')).not.toContain('(11,dave)');
  expect(await rowsOf(at.d, 'composed')).toEqual(['(1,2,3,b)', '(1,2,5,c)']);
  expect(await differences(NAMES, ['public.parent', 'public.composed'])).toEqual([]);
});

test('a table that only the first of two syncs lists stops at B', async () => {
  const { at, settle, differences } = four();
  await at.a.script("insert into ends_at_b values (1, 'a')");
  await at.b.script("insert into ends_at_b values (2, 'b')");
  await settle();
  expect(await differences(['a', 'b'], ['public.ends_at_b'])).toEqual([]);
  expect([await rowsOf(at.b, 'ends_at_b'), await rowsOf(at.c, 'ends_at_b'), await rowsOf(at.d, 'ends_at_b')]).toEqual([['(1,a)', '(2,b)'], [], []]);
});

test('three masters and a copy of A, sequences in steps of three: rows added while nothing runs arrive, and no id is handed out twice', async () => {
  const { at, settle, differences, decided } = four();
  for (let turn = 0; turn < 2; turn += 1) {
    for (const name of ['a', 'b', 'c'] as const) await at[name].script(`insert into stepped (v) select '${name}' from generate_series(1, 4)`);
    await settle();
  }
  expect(await differences(NAMES, ['public.stepped'])).toEqual([]);
  expect(await at.d.query("select array_agg(id::int order by id) as ids, count(*) filter (where v = 'b')::int as b from stepped")).toEqual([
    { ids: Array.from({ length: 24 }, (_, index) => index + 1), b: 8 },
  ]);
  expect(await decided('public.stepped')).toEqual([]);
});

test('two syncs over tables that the other databases do not have, and a restart between', async () => {
  const { at, settle, differences } = four();
  await at.a.script("insert into left_only values (1, 'a')");
  await at.d.script("insert into right_only values (1, 'd')");
  await settle();
  await at.b.script("update left_only set v = 'b'");
  await at.c.script("update right_only set v = 'c'");
  await settle();
  expect(await differences(['a', 'b'], ['public.left_only'])).toEqual([]);
  expect(await differences(['c', 'd'], ['public.right_only'])).toEqual([]);
  expect([await rowsOf(at.a, 'left_only'), await rowsOf(at.d, 'right_only')]).toEqual([['(1,b)'], ['(1,c)']]);
});
