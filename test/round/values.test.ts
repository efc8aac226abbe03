import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { openDatabase, withDatabase } from '../support/database.ts';
import { discard, freshDatabase } from '../support/databases.ts';
import { catchUp, onAll } from '../support/follow.ts';
import { installation, oneWayOf } from '../support/installation.ts';
import { replicated } from '../support/runner.ts';
import { TYPE_VALUES, USER_TYPES } from '../support/type-values.ts';

const FORMS = [
  ['few rows', 12],
  ['staged', 250],
] as const;

const columns = Object.keys(TYPE_VALUES).map((type, index) => ({ name: `c${index}`, type, values: TYPE_VALUES[type] ?? [] }));
/** Types of users' and those that travel as text among the built-in ones. */
const isText = (type: string): boolean =>
  /^(public\.|information_schema\.|"Odd|tsquery|jsonpath|xml|pg_|txid_|reg|refcursor|aclitem|[xct]id|int2vector|oidvector)/.test(type);

function table(wanted: typeof columns): string {
  return `${USER_TYPES} create table t (id integer primary key, ${wanted.map(({ name, type }) => `${name} ${type}`).join(', ')});`;
}

/** A row whose columns hold the values numbered `id + turn`; every fifth is null where the type lets it be. */
function rowsOf(wanted: typeof columns, turn: number): string {
  const cases = wanted.map(({ type, values }) => {
    const cases = values.map((value, index) => `when ${index} then (${value})::${type}`).join(' ');
    const value = `case (g + ${turn}) % ${values.length} ${cases} end`;
    return type === 'public.moods' ? value : `case when (g + ${turn}) % 5 = 4 then null else ${value} end`;
  });
  return cases.join(',\n');
}

describe.each(FORMS)('%s', (_, rows) => {
  test.each([
    ['binary', columns.filter(({ type }) => !isText(type))],
    ['text', columns],
  ])('every type in %s form', async (form, wanted) => {
    const { project, follows } = await replicated(table(wanted));
    const { plan } = await project.generated();
    expect(oneWayOf(plan, 's').tables[0]?.routes[0]?.copyFormat).toBe(form);
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

test('bytes that are no UTF-8, between SQL_ASCII databases, by a round and by a copy', async () => {
  const maintenance = openDatabase(inject('serverUrl'));
  const [source, target] = await Promise.all(
    ['source', 'target'].map(async (name) => {
      const database = `bytes_${name}_${process.pid}`;
      await maintenance.query(`create database ${database} template template0 encoding 'SQL_ASCII' locale 'C'`);
      return openDatabase(withDatabase(inject('serverUrl'), database));
    }),
  );
  if (!source || !target) throw new Error('no databases');
  onTestFinished(async () => {
    await Promise.all([discard(source), discard(target)]);
    await maintenance.close();
  });
  await onAll([source, target], 'create table t (id text primary key, v text);');
  await source.script("insert into t values (E'caf\\xe9', E'na\\xefve \\xff')");
  const project = await installation({
    databases: { source, target },
    syncs: { s: { mode: 'one-way', source: 'source', targets: ['target'], tables: ['public.t'] } },
  });
  expect((await project.apply()).diagnostics).toEqual([]);
  const bytes = "select convert_to(id, 'SQL_ASCII') as id, convert_to(v, 'SQL_ASCII') as v from t order by 1";
  for (const change of [
    '',
    "insert into t values (E'\\xe9', E'\\xff\\xfe'), ('valid', 'é')",
    "update t set v = v || E'\\xfd'; delete from t where id = E'\\xe9'",
  ]) {
    await source.script(change);
    await catchUp(project);
    expect(await target.query(bytes)).toEqual(await source.query(bytes));
  }
});

test('types that differ and fit: of users and of extensions in other schemas, wider inside, domains in and out', async () => {
  const { follows } = await replicated(
    `create extension citext schema public; create domain small as integer check (value < 1000); create domain code as character varying(4) not null;
     create type mood as enum ('sad', 'ok'); create type pt as (x integer, y public.small, m public.mood); create type span as range (subtype = float8);
     create table t (id public.citext, n numeric(6,1), a small, b small[], c code, p pt, ps pt[], m mood, ms mood[], r span, at timestamptz(3), ti time(0), iv interval(3),
       primary key (id, n));`,
    {
      targetSchema: `create schema ext; create extension citext schema ext; create domain ext.code as text; create type ext.mood as enum ('new', 'ok', 'sad');
     create type ext.pt as (x bigint, y integer, m ext.mood); create type ext.span as range (subtype = float8);
     create table t (iv interval, ti time(3), at timestamptz, r ext.span, ms ext.mood[], m ext.mood, ps ext.pt[], p ext.pt, c ext.code, b bigint[], a bigint, n numeric(12,3),
       id ext.citext, primary key (n, id));`,
      compared: [
        {
          source: 'public.t',
          columns: {
            id: 'id',
            n: 'n::numeric(12,3)',
            ...Object.fromEntries(['a', 'b', 'c', 'p', 'ps', 'm', 'ms', 'r', 'at', 'ti', 'iv'].map((each) => [each, each])),
          },
        },
      ],
    },
  );
  const rows = (from: number, to: number): string =>
    `insert into t select 'Key ' || g, g + 0.5, g, array[g, null], 'c' || g, row(g, g::small, 'ok'::mood)::pt, array[row(g, null, null)::pt, null], 'sad', '{ok,NULL}', span(g, g + 0.1), now(), now()::time, g * interval '1.2345 s' from generate_series(${from}, ${to}) g`;
  await follows(rows(1, 5));
  await follows(rows(6, 300));
  await follows("update t set id = upper(id), p = null, m = 'ok' where a < 4; delete from t where id = 'KEY 4'");
  await follows('update t set id = lower(id), ms = null; delete from t where a > 250; update t set n = -n where a > 200');
});
