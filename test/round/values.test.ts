import { describe, expect, test } from 'vitest';
import { freshDatabase } from '../support/databases.ts';
import { replicated } from '../support/runner.ts';

const FORMS = [
  ['few rows', 12],
  ['staged', 250],
] as const;

/** Type -> values that something on the way could change. Every one is inserted, updated to the next, and deleted. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  numeric: ["'NaN'", "'Infinity'", "'-Infinity'", '1.500', '0.000', '-12345678901234567890.12345678901234567890', '1e-300'],
  'numeric(10,2)': ['1.50', "'NaN'", '-99999999.99'],
  'double precision': ["'-0'", "'NaN'", "'Infinity'", "'-Infinity'", '0.1', '1e-308', '1.7976931348623157e308', '4.9406564584124654e-324'],
  real: ["'-0'", "'NaN'", '0.1', '3.4028235e38', '1e-45'],
  bigint: ['9223372036854775807', '-9223372036854775808', '9007199254740993'],
  timestamptz: [
    "'infinity'",
    "'-infinity'",
    "'4714-11-24 BC'",
    "'294276-12-31 23:59:59.999999+00'",
    "'2026-03-29 02:30:00.000001+05:45'",
    "'0044-03-15 12:00 BC'",
  ],
  timestamp: ["'infinity'", "'0001-01-01 BC'", "'1900-02-28 23:59:59.999999'"],
  'timestamp(0) with time zone': ["'2026-01-01 00:00:01'"],
  date: ["'infinity'", "'4713-01-01 BC'", "'5874897-12-31'"],
  time: ["'24:00:00'", "'00:00:00.000001'"],
  timetz: ["'12:00:00.5+15:59'", "'24:00-15:59'"],
  interval: ["'1 year -2 mons 3 days -04:05:06.789'", "'-178000000 years'", "'0'", "'1 mon -1 day'", "'@ 1000000:00:00.000001'"],
  bytea: ["''", "'\\x00ff275c0a'", "decode(repeat('00ff', 500), 'hex')"],
  json: ['\'{"b":  1, "a":  12345678901234567890.10, "a": "x"}\'', "'null'", "' [1 , 2]\n'", '\'"\\u0041"\'', "'1e2'"],
  jsonb: ['\'{"b": 1, "a": 12345678901234567890.10}\'', "'null'", "'1.10'", '\'"line\\n\\t\\"q\\""\''],
  'bit(5)': ["'10101'", "'00000'"],
  'bit varying(70)': ["''", "repeat('10', 35)::varbit"],
  'character(6)': ["'ab'", "''", "'é'"],
  'character varying(30)': ["'  padded  '", "''"],
  text: [
    "''",
    'E\'tab\\t nl\\n cr\\r bs\\b \\\\N \\\\. "q" , {}\'',
    "'\\N'",
    "E'\\u0301\\u200d\\uFEFF\\uFFFF \\U0001F600 \\u2028'",
    "repeat('ä', 5000)",
    "E'\\x01\\x1f\\x7f'",
    "'null'",
    "'t'",
  ],
  '"char"': ["'z'", "''", "'\"'", "'\\'"],
  name: ["'n'"],
  boolean: ['true', 'false'],
  uuid: ["'A0EEBC99-9c0b-4ef8-bb6d-6bb9bd380a11'"],
  money: ["'1234.56'", "'-92233720368547758.08'"],
  inet: ["'10.0.0.1/8'", "'::ffff:1.2.3.4/128'", "'0.0.0.0/0'"],
  cidr: ["'10.0.0.0/8'"],
  macaddr8: ["'08:00:2b:01:02:03:04:05'"],
  int4range: ["'[1,5)'", "'empty'", "'(,)'", "'[5,]'"],
  tstzrange: ["'[2026-01-01,infinity]'", "'(,2026-01-01)'"],
  nummultirange: ["'{[1.5,2],(3,)}'", "'{}'"],
  'integer[]': ["'{}'", "'{1,NULL,3}'", "'[-2:0]={1,2,3}'", "'{{1,2},{3,4}}'", "'[2:2][3:4]={{1,2}}'"],
  'text[]': ['\'{"a,b",NULL,"NULL","","\\\\","{}"," x "}\'', "array[E'\\n', '\"']"],
  'jsonb[]': ['array[\'{"a": [1, null]}\'::jsonb, null]'],
  'timestamptz[]': ["'{infinity,2026-01-01,NULL}'"],
  point: ["'(1e-300,-0)'", "'(NaN,Infinity)'"],
  polygon: ["'((0,0),(1,1),(1,0))'"],
  tsvector: ["'a:1A fat:2,4B cat:5'"],
  tsquery: ["'!a & (b | c:*AB) <-> d'"],
  xid8: ["'18446744073709551615'"],
  pg_lsn: ["'FFFFFFFF/FFFFFFFF'"],
  oid: ["'4294967295'"],
  jsonpath: ["'$.a[*] ? (@ > 1)'"],
  'public.mood': ["'sad'", "'it''s \"ok\", {\\}'"],
  'public.mood[]': ['\'{sad,NULL,"it\'\'s \\"ok\\", {\\\\}"}\'', "'{}'"],
  'public.posint': ['5'],
  'public.short': ["'ab'"],
  'public.pt': ['\'(1,"a ""q"" , \\\\b")\'', "'(,)'", '\'(,"")\''],
  'public.pt[]': ["array['(1,x)'::public.pt, null]"],
  'public.span': ["'[1.5,2)'", "'empty'"],
};

const TYPES = `create type mood as enum ('sad', 'it''s "ok", {\\}'); create domain posint as integer check (value > 0); create domain short as character(4);
  create type pt as (x integer, y text); create type span as range (subtype = float8);`;

const columns = Object.keys(VALUES).map((type, index) => ({ name: `c${index}`, type, values: VALUES[type] ?? [] }));
const isUsers = (type: string): boolean => type.startsWith('public.');

function table(wanted: typeof columns): string {
  return `${TYPES} create table t (id integer primary key, ${wanted.map(({ name, type }) => `${name} ${type}`).join(', ')});`;
}

/** A row whose columns hold the values numbered `id + turn`; every fifth is null. */
function rowsOf(wanted: typeof columns, turn: number): string {
  const cases = wanted.map(({ type, values }) => {
    const cases = values.map((value, index) => `when ${index} then (${value})::${type}`).join(' ');
    return `case when (g + ${turn}) % 5 = 4 then null else case (g + ${turn}) % ${values.length} ${cases} end end`;
  });
  return cases.join(',\n');
}

describe.each(FORMS)('%s', (_, rows) => {
  test.each([
    ['binary', columns.filter(({ type }) => !isUsers(type) && !/^(pg_lsn|xid8|oid|tsquery|jsonpath)/.test(type))],
    ['text', columns],
  ])('every type in %s form', async (form, wanted) => {
    const { project, follows } = await replicated(table(wanted));
    const { plan } = await project.generated();
    expect(plan.syncs['s']?.tables[0]?.routes[0]?.copyFormat).toBe(form);
    const names = wanted.map(({ name }) => name).join(', ');
    for (let turn = 0; turn < 3; turn += 1) {
      await follows(`insert into t select ${turn * 1000} + g, ${rowsOf(wanted, turn)} from generate_series(1, ${rows}) g`);
    }
    await follows(`update t set (${names}) = (select ${rowsOf(wanted, 3)} from (select t.id as g) as x)`);
    await follows('delete from t where id % 2 = 0; update t set id = -id');
  });
});

test('a value of 20 MB, inserted, updated with others, in both forms of the wire', async () => {
  const { follows } = await replicated('create table t (id integer primary key, v text, b bytea, m "char");');
  await follows("insert into t values (1, repeat('ä', 10000000), decode(repeat('00ff', 5000000), 'hex'), 'x'), (2, 'small', '', null)");
  await follows("update t set v = v || 'x' where id = 1; update t set v = null where id = 2");
});

test('a key of an extension type that is equal whatever its case (citext, where the server has it)', async () => {
  const probe = await freshDatabase('probe');
  const available = (await probe.query("select from pg_available_extensions where name = 'citext'")).length > 0;
  if (!available) return;
  const { follows } = await replicated('create extension citext; create table t (id citext primary key, v text);');
  await follows("insert into t values ('Ab', 'x'), ('c', 'y')");
  await follows("update t set id = 'aB' where id = 'AB'; delete from t where id = 'C'");
  await follows("insert into t select 'Key' || g from generate_series(1, 300) g");
  await follows('update t set id = lower(id)');
});

test('keys that are equal to the database and spelled differently', async () => {
  const { follows } = await replicated('create table t (id numeric, f double precision, c character(5), primary key (id, f, c));');
  await follows("insert into t values (1.0, '0', 'ab')");
  await follows("update t set id = 1.000, f = '-0'");
  await follows("insert into t select g + 0.10, g, 'x' from generate_series(1, 300) g");
  await follows('update t set id = id + 0.000; delete from t where id > 200');
});

test('wider types on the target', async () => {
  const { follows } = await replicated('create table t (id smallint primary key, n numeric(5,1), v character varying(5), r real);', {
    targetSchema: 'create table t (id bigint primary key, n numeric(12,3), v text, r double precision);',
    compared: [{ source: 'public.t', columns: { id: 'id', n: 'n::numeric(12,3)', v: 'v', r: 'r::text::double precision' } }],
  });
  await follows("insert into t select g, g + 0.5, 'v' || g, 0.5 from generate_series(1, 300) g");
  await follows('update t set n = -1.5, id = -id where id < 5; update t set r = 1.5 where id = 7');
});
