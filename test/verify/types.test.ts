import { expect, onTestFinished, test } from 'vitest';
import { dropDatabase, openDatabase, withDatabase } from '../support/database.ts';
import { freshDatabase } from '../support/databases.ts';
import { catchUp, onAll } from '../support/follow.ts';
import { installation } from '../support/installation.ts';
import type { ReplicatedOptions } from '../support/runner.ts';
import { replicated } from '../support/runner.ts';
import { found, verified } from '../support/verified.ts';

/** Type -> two values that are not the same byte for byte, though some of them are equal to the database. */
const VALUES: Readonly<Record<string, readonly [string, string]>> = {
  smallint: ['1', '-1'],
  bigint: ['9007199254740993', '9007199254740992'],
  numeric: ['1.0', '1.00'],
  'numeric(12,3)': ['1.5', "'NaN'"],
  real: ['0', "'-0'"],
  'double precision': ['0.1', '0.10000000000000002'],
  boolean: ['true', 'false'],
  text: ["''", "' '"],
  'character varying(10)': ["'a'", "'a '"],
  'character(5)': ["'ab'", "'ac'"],
  '"char"': ["'a'", "'\\351'"],
  name: ["'a'", "'b'"],
  bytea: ["'\\x00'", "'\\x0000'"],
  json: ['\'{"a": 1}\'', '\'{"a":  1}\''],
  jsonb: ["'1.0'", "'1.00'"],
  xml: ["'<a/>'", "'<a></a>'"],
  uuid: ["'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12'"],
  timestamptz: ["'infinity'", "'2026-01-01 00:00:00.000001+00'"],
  timestamp: ["'0044-03-15 BC'", "'2026-01-01'"],
  date: ["'2026-01-01'", "'-infinity'"],
  timetz: ["'12:00+01'", "'11:00+00'"],
  interval: ["'1 mon'", "'30 days'"],
  inet: ["'10.0.0.1/8'", "'10.0.0.1/9'"],
  money: ["'1.00'", "'1.01'"],
  'bit varying(9)': ["'1'", "'10'"],
  'integer[]': ["'[0:1]={1,2}'", "'{1,2}'"],
  'text[]': ["'{NULL}'", '\'{"NULL"}\''],
  int4range: ["'[1,5)'", "'empty'"],
  nummultirange: ["'{[1.0,2]}'", "'{[1.00,2]}'"],
  point: ["'(0,0)'", "'(0,-0)'"],
  tsvector: ["'a:1'", "'a:1A'"],
  pg_lsn: ["'0/1'", "'0/2'"],
  'public.mood': ["'sad'", "'ok'"],
  'public.posint': ['5', '6'],
  'public.pt': ["'(1,)'", '\'(1,"")\''],
  'public.span': ["'[1,2)'", "'[1,2]'"],
};

const TYPES = `create type mood as enum ('sad', 'ok'); create domain posint as integer check (value > 0); create type pt as (x integer, y text);
  create type span as range (subtype = float8);`;
const columns = Object.entries(VALUES).map(([type, values], index) => ({ name: `c${index}`, type, values }));
const TABLE = `${TYPES} create table t (id integer primary key, ${columns.map(({ name, type }) => `${name} ${type}`).join(', ')});`;

test('every type: equal values are equal, and each difference is found in its column', async () => {
  const { target, project, follows } = await replicated(TABLE);
  const rows = columns.map(({ values, type }) => `case g % 3 when 0 then (${values[0]})::${type} when 1 then (${values[1]})::${type} end`);
  await follows(`insert into t select g, ${rows.join(', ')} from generate_series(1, ${3 * columns.length}) g`);
  expect((await verified(project)).exit).toBe('ok');
  // Row 3k + 3 holds the first value: one column of it gets the other one; row 3k + 5 holds nulls and gets a value.
  for (const [index, { name, type, values }] of columns.entries()) {
    await target.query(`update t set ${name} = (${values[1]})::${type} where id = ${3 * index + 3}`);
    await target.query(`update t set ${name} = (${values[0]})::${type} where id = ${3 * index + 2}`);
  }
  const result = await verified(project, '--keys', '1000');
  expect(found(result)).toEqual(columns.flatMap(({ name }, index) => [`different id=${3 * index + 2}: ${name}`, `different id=${3 * index + 3}: ${name}`]));
});

/** Columns of every form that is hashed, and rows of which two hold the same, though in other columns or as empty instead of null. */
const FORMS = 'a text, b varchar(9), n numeric, u uuid, j jsonb, k json, p point, q int4range, x integer, y bigint';
const SHIFTED: readonly (readonly [string, string])[] = [
  ["a = 'v'", "b = 'v'"],
  ["a = 'v', b = 'w'", "a = 'w', b = 'v'"],
  ["a = ''", 'a = null'],
  ["a = ''", "b = ''"],
  ["a = '', b = null", "a = null, b = ''"],
  ["j = '1'", 'n = 1'],
  ['j = \'"|"\'', 'j = \'"||"\''],
  ["j = '\"|1\"', k = '1'", "j = '1', k = '\"|1\"'"],
  ["j = '[]'", "k = '[]'"],
  ["j = 'null'", 'j = null'],
  ["k = 'null'", 'k = null'],
  ["q = 'empty'", 'q = null'],
  ['x = 0', 'x = null'],
  ['x = 1', 'y = 1'],
  ['x = 0, y = null', 'x = null, y = 0'],
  ["n = 'NaN'", "n = 'Infinity'"],
];

test('a value in one column is not taken for the same one in another, nor an empty one for none', async () => {
  const { target, project, follows } = await replicated(`create table t (id integer primary key, ${FORMS});`);
  const set = (side: 0 | 1): string => SHIFTED.map((pair, id) => `update t set ${pair[side]} where id = ${id}`).join('; ');
  await follows(`insert into t select g from generate_series(0, ${SHIFTED.length - 1}) g; ${set(0)}`);
  expect((await verified(project)).exit).toBe('ok');
  await target.script(`update t set a = null, b = null, n = null, j = null, k = null, q = null, x = null, y = null; ${set(1)}`);
  const { differences } = (await verified(project)).tables[0] ?? {};
  expect(differences).toMatchObject({ missing: 0, extra: 0, different: SHIFTED.length });
});

const KEYS: readonly (readonly [string, string, string, string])[] = [
  ['numbers of another scale', 'id numeric primary key', 'update t set id = 1.00 where id = 1; update t set id = 7.000 where id = 7', '1.00 7.000'],
  ['zeros of another sign', 'id double precision primary key', "update t set id = '-0' where id = 0", '-0'],
  ['a composite key', 'id numeric, k text, primary key (id, k)', 'update t set id = 3.0 where id = 3', '3.0'],
];

test.each(KEYS)('keys that are equal but spelled differently are a difference of the column, no missing and extra row: %s', async (_, key, statement) => {
  const { source, target, project, follows } = await replicated(`create table t (${key}, v text);`);
  const isComposite = key.includes('k text');
  await follows(`insert into t select g, ${isComposite ? "'k', " : ''}'x' from generate_series(0, 2000) g`);
  await target.script(statement);
  const result = await verified(project);
  expect(result.tables[0]?.differences).toMatchObject({ missing: 0, extra: 0, columns: [{ column: 'id' }] });
  await source.script(statement);
  expect(await verified(project)).toMatchObject({ exit: 'ok' });
});

test('a key under a nondeterministic collation', async () => {
  const ci = "create collation ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);";
  const { source, target, project, follows } = await replicated(`${ci} create table t (id text collate ci primary key, v text);`);
  await follows("insert into t select 'Key' || g, 'x' from generate_series(1, 2000) g");
  await target.query("update t set id = upper(id) where id in ('key7', 'key8')");
  const result = await verified(project);
  expect(found(result)).toEqual(['different id=Key7: id', 'different id=Key8: id']);
  await source.query("update t set id = lower(id) where id = 'key9'");
  const pending = await verified(project);
  expect(found(pending)).toEqual(found(result));
  expect(pending.tables[0]?.differences.inFlight).toBe(1);
  expect(await verified(project, '--repair', '--yes')).toMatchObject({ exit: 'ok', tables: [{ repair: { written: 2 } }] });
  expect(await target.query("select id from t where id in ('key7', 'key8') order by id")).toEqual([{ id: 'Key7' }, { id: 'Key8' }]);
});

const SHAPES: readonly (readonly [string, string, ReplicatedOptions])[] = [
  ['a filter', 'create table t (id integer primary key, a integer, b text);', { tables: [{ table: 'public.t', where: 'a % 2 = 0' }], compared: [] }],
  [
    'picked, renamed and computed columns, another table name',
    'create table t (id integer primary key, a integer, b text);',
    {
      targetSchema: 'create table copy (key bigint primary key, total numeric(10,2), word character(20));',
      tables: [
        { table: 'public.t', rename: 'public.copy', columns: { pick: ['id'], rename: { id: 'key' }, compute: { total: 'a * 1.5', word: 'b::character(9)' } } },
      ],
      compared: [],
    },
  ],
  [
    'wider types',
    'create table t (id smallint primary key, a numeric(5,1), b character(5));',
    { targetSchema: 'create table t (id bigint primary key, a numeric(12,4), b character(9));', compared: [] },
  ],
  [
    'partitions of other bounds, a composite key in another order',
    'create table t (id integer, a integer, b text, primary key (id, a)) partition by hash (id); create table t0 partition of t for values with (modulus 1, remainder 0);',
    {
      targetSchema: `create table t (b text, a integer, id integer, primary key (a, id)) partition by range (a); create table low partition of t for values from (minvalue) to (500);
        create table high partition of t for values from (500) to (maxvalue);`,
      tables: ['public.t'],
      compared: [],
    },
  ],
  [
    'a stored generated column',
    'create table t (id integer primary key, a integer, b text);',
    {
      targetSchema: 'create table t (id integer primary key, a integer, b text, twice integer generated always as (a * 2) stored);',
      compared: [],
    },
  ],
];

test.each(SHAPES)('tables that are not alike: %s', async (_, schema, options) => {
  const { target, project, follows } = await replicated(schema, options);
  await follows("insert into t select g, g, 'x' || g % 7 from generate_series(1, 1000) g");
  const equal = await verified(project);
  expect(equal).toMatchObject({ exit: 'ok', diagnostics: [] });
  expect(equal.tables[0]?.rows?.source).toBe(equal.tables[0]?.rows?.target);
  const name = equal.tables[0]?.target ?? '';
  const key = name.endsWith('copy') ? 'key' : 'id';
  await target.query(`delete from ${name} where ${key} = 500`);
  const [column] = await target.query<{ column: string }>(
    `select column_name as column from information_schema.columns where table_name = $1 and column_name in ('total', 'b')`,
    [name.replace('public.', '')],
  );
  await target.query(`update ${name} set ${column?.column} = '9' where ${key} = 600`);
  const result = await verified(project);
  expect(result.tables[0]?.differences).toMatchObject({ missing: 1, extra: 0, different: 1, columns: [{ column: column?.column, rows: 1 }] });
  expect((await verified(project, '--repair', '--yes')).exit).toBe('ok');
  expect((await verified(project)).exit).toBe('ok');
});

test('integers at their ends, nulls beside zeros, and values that rows have exchanged', async () => {
  const { target, project, follows } = await replicated(
    'create table t (id bigint primary key, a bigint, b integer, c smallint); create table words (id text primary key, a bigint, b integer);',
    {
      targetSchema: 'create table t (id bigint primary key, a bigint, b bigint, c integer); create table words (id text primary key, a bigint, b integer);',
      compared: [],
    },
  );
  await follows(`insert into t values (9223372036854775807, 9223372036854775807, 2147483647, 32767), (-9223372036854775808, -9223372036854775808, -2147483648, -32768);
    insert into t select g, g * 4294967297, nullif(g % 7, 0), g % 3 from generate_series(1, 3000) g; insert into t values (0, null, null, null), (-1, 0, 0, 0);
    insert into words select 'w' || g, g, g from generate_series(1, 300) g`);
  expect(await verified(project)).toMatchObject({ exit: 'ok', tables: [{ state: 'equal', rows: { source: 3004, target: 3004 } }, { state: 'equal' }] });
  await target.script(`update t set a = 0 where id = 0; update t set b = null where id = -1; update t set c = -1 where id = -9223372036854775808;
    update t set a = 2 * 4294967297 where id = 1; update t set a = 4294967297 where id = 2; update t set a = 3 * 4294967296 where id = 3;
    update words set a = null where id = 'w2'; update words set a = 4294967296 where id = 'w3'`);
  expect(found(await verified(project))).toEqual([
    'different id=-9223372036854775808: c',
    'different id=-1: b',
    'different id=0: a',
    'different id=1: a',
    'different id=2: a',
    'different id=3: a',
    'different id=w2: a',
    'different id=w3: a',
  ]);
});

test('a database of another encoding', async () => {
  const { source, target, project } = await otherEncodings('create table t (id text primary key, v text);');
  await source.query("insert into t select 'Straße ' || g, repeat('é', g % 50) from generate_series(1, 500) g");
  await catchUp(project);
  expect(await verified(project)).toMatchObject({ exit: 'ok', tables: [{ rows: { source: 500, target: 500 } }] });
  await target.query("update t set v = 'è' where id = 'Straße 7'");
  expect(found(await verified(project))).toEqual(['different id=Straße 7: v']);
});

/** A source in UTF-8 and a target in Latin-1. */
async function otherEncodings(schema: string) {
  const [source, neighbour] = [await freshDatabase('source'), await freshDatabase('neighbour')];
  const name = `${neighbour.name}_latin1`;
  await neighbour.query(`create database ${name} encoding 'LATIN1' locale 'C' template template0`);
  const target = openDatabase(withDatabase(neighbour.url, name));
  onTestFinished(async () => {
    await target.close();
    await dropDatabase(neighbour.url, name);
  });
  await onAll([source, target], schema);
  const project = await installation({
    databases: { source, target },
    syncs: { s: { mode: 'one-way', source: 'source', targets: ['target'], tables: ['public.*'] } },
  });
  expect((await project.apply()).diagnostics).toEqual([]);
  return { source, target, project };
}
