import { expect, test } from 'vitest';
import { at, masters, rowsOf } from '../support/masters.ts';

const EXTENSION = 'create extension citext;';

/** Each: a schema with table t, rows at the start, what each of two masters does, and how many conflicts that makes. */
const SHAPES: readonly (readonly [name: string, schema: string, seed: string, east: string, west: string, conflicts: number])[] = [
  [
    'composite keys of text, numeric and a date',
    'create table t (a text, b numeric, c date, v text, primary key (a, b, c));',
    "insert into t values ('x', 1.0, '2026-01-01', 'old'), ('y', 2, '-infinity', 'old')",
    "update t set v = 'east' where b = 1.00; delete from t where a = 'y'",
    "update t set v = 'west' where a = 'x'; update t set v = 'west' where a = 'y'",
    2,
  ],
  [
    'keys that are one to the database and spelled differently',
    `${EXTENSION} create table t (k citext primary key, v text);`,
    "insert into t values ('Anna', 'old')",
    "update t set k = 'ANNA', v = 'east'; insert into t values ('Bert', 'east')",
    "update t set v = 'west'; insert into t values ('BERT', 'west')",
    2,
  ],
  [
    'types of users, json, xml, bytea, arrays and points',
    `create type mood as enum ('calm', 'wild'); create type pair as (a integer, b text); create domain short as text check (length(value) < 9) not null;
     create table t (id integer primary key, m mood, p pair, d short, j json, jb jsonb, x xml, b bytea, a integer[], pt point, f float8, r numrange);`,
    `insert into t values (1, 'calm', (1, 'x'), 'short', '{"b":1,  "a":2}', '{"n":12345678901234567890}', '<a/>', '\\x00ff', '[0:1]={1,2}', '(1,2)', 'NaN', '[1,2)')`,
    `update t set m = 'wild', j = '{"z":1}', a = '{3,null}' where id = 1; insert into t (id, d, f) values (2, 'two', '-0'), (3, 'three', 'infinity')`,
    `update t set p = (2, 'y,"z'), b = '\\xdead', x = '<b>é</b>' where id = 1; insert into t (id, d, f) values (2, 'zwei', 0)`,
    2,
  ],
  [
    'generated columns, identities and defaults',
    'create table t (id integer generated always as identity primary key, v integer not null default 7, twice integer generated always as (v * 2) stored);',
    'insert into t (v) values (1), (2)',
    'update t set v = 10 where id = 1; insert into t overriding system value values (100, 5)',
    'update t set v = 20 where id = 1; delete from t where id = 2',
    1,
  ],
  [
    'rows that move between partitions',
    `create table t (day date, id integer, v text, primary key (day, id)) partition by range (day);
     create table t1 partition of t for values from ('2026-01-01') to ('2026-07-01'); create table t2 partition of t default;`,
    "insert into t values ('2026-02-01', 1, 'old'), ('2026-08-01', 2, 'old')",
    "update t set day = '2026-09-01' where id = 1; update t2 set v = 'east' where id = 2",
    "update t set v = 'west'",
    2,
  ],
  [
    'unique values that swap',
    'create table t (id integer primary key, place integer unique);',
    'insert into t values (1, 1), (2, 2), (3, 3)',
    'begin; update t set place = -place where id < 3; update t set place = 3 + place where id < 3; commit',
    'update t set place = 30 where id = 3',
    0,
  ],
  [
    'wide values',
    'create table t (id integer primary key, v text);',
    "insert into t values (1, ''), (2, '')",
    "update t set v = repeat('east', 200000) where id = 1",
    "update t set v = repeat('west', 200000)",
    1,
  ],
];

test.each(SHAPES)('%s', async (_, schema, seed, east, west, conflicts) => {
  const between = await masters(schema, { seed });
  await at(between.members, 0).script(east);
  await at(between.members, 1).script(west);
  await between.settles();
  expect((await between.conflicts()).length).toBe(conflicts);
  expect(await rowsOf(at(between.members, 0))).toEqual(await rowsOf(at(between.members, 1)));
});

test('random changes of a few rows on three masters, with and without rounds in between', { timeout: 120_000 }, async () => {
  const { members, settles } = await masters('create table t (id integer primary key, v text, n integer);', { count: 3 });
  for (let turn = 0; turn < 12; turn += 1) {
    for (const [index, member] of members.entries()) {
      for (let step = 0; step < 3; step += 1) await member.script(change((turn * 31 + index * 17 + step * 7) % 40, `${index}.${turn}.${step}`));
    }
    if (turn % 3 !== 0) await settles();
  }
  await settles();
  expect((await rowsOf(at(members, 0))).length).toBeGreaterThan(0);
});

function change(random: number, name: string): string {
  const key = random % 8;
  switch (random % 5) {
    case 0:
      return `insert into t values (${key}, '${name}', 0) on conflict (id) do update set v = excluded.v`;
    case 1:
      return `update t set v = '${name}', n = n + 1 where id in (${key}, ${(key + 3) % 8})`;
    case 2:
      return `delete from t where id = ${key}`;
    case 3:
      return `update t set id = id + 8 where id = ${key} and not exists (select from t as o where o.id = ${key + 8})`;
    default:
      return `insert into t select g, '${name}', 1 from generate_series(${key}, ${key + 2}) as g on conflict (id) do nothing`;
  }
}
