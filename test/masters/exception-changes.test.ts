import { expect, test } from 'vitest';
import { verb as apply } from '../../src/commands/apply.ts';
import { verb as compile } from '../../src/commands/compile.ts';
import { verb as pull } from '../../src/commands/pull.ts';
import { verb as run } from '../../src/commands/run.ts';
import { startSarrio } from '../support/cli.ts';
import { onAll } from '../support/follow.ts';
import { handled } from '../support/handled.ts';
import { at, expectAlike, rowsOf } from '../support/masters.ts';
import { waitUntil } from '../support/wait.ts';

const SCHEMA = `
  create table renamed (id integer primary key, email text unique, seen timestamptz);
  create table lowered (id bigint primary key, email text, active boolean, n numeric);
  create unique index lowered_email on lowered (lower(email), (n - 1)) where active;
  create table booked (id integer primary key, during int4range, exclude using gist (during with &&));
  create table checked (id integer primary key, v bigint, t timestamptz);
  create table archive (id bigint primary key, what text, n numeric);
  create table absent (id integer primary key, v integer unique);
  create table chained (id integer primary key, v integer unique);
  create table refused (id integer primary key, v integer);
  create table big (id integer primary key, v integer unique);
`;

/** By table, what its handler says. */
const HANDLERS = {
  renamed: '({ inTheWay, update }) => retry(...inTheWay.map(({ key, row }) => update(key, { email: `${row.email}.${key.id}` })))',
  lowered: `({ inTheWay, key, remove, of }) => {
    const [other] = inTheWay;
    return other ? retry(remove(other.key), of('public.archive').insert({ id: other.key.id, what: 'for ' + key.id, n: other.row.n })) : stop();
  }`,
  booked: "({ key, update }) => retry(update(key, { during: 'empty' }))",
  checked: '({ arriving, key, update }) => retry(update(key, { v: BigInt(arriving.v) - 9007199254740993n, t: arriving.t }))',
  big: `({ error, inTheWay, key, update }) =>
    error.code === '23514' ? retry(update(key, { v: -1 })) : retry(...inTheWay.map((each) => update(each.key, { v: -2 })))`,
  absent: '({ remove }) => retry(remove({ id: 77 }))',
  chained: "({ key, update, of }) => retry(update(key, { v: 100 + key.id }), of('public.refused').insert({ id: key.id, v: -1 }))",
} as const;

function excepting(handlers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(handlers).map(([table, handler]) => [table, `onException: ${handler}`]));
}

test('rows in the way, and others, are changed at every member alike in the round; nonsense stops its own table', { timeout: 120_000 }, async () => {
  const { members, verb } = await handled(SCHEMA, { tables: excepting(HANDLERS) });
  const [east, west] = [at(members, 0), at(members, 1)];
  await onAll(members.slice(1), 'alter table refused add check (v > 0)');
  await west.script('alter table checked add check (v < 10); alter table big add check (v <> 700)');
  await east.script(`
    insert into big select g, g from generate_series(1, 1500) as g;
    insert into renamed values (1, 'a', '2026-01-02 03:04:05.123456+00');
    insert into lowered values (9007199254740993, 'A@b', true, 1.50), (2, 'a@B', false, 1.50);
    insert into booked values (1, '[1,10)');
    insert into checked values (1, 9007199254740995, '2026-01-02 03:04:05.123456+00');
    insert into absent values (1, 1); insert into chained values (1, 1);
  `);
  await west.script(`
    insert into big values (9001, 900);
    insert into renamed values (2, 'a', null);
    insert into lowered values (3, 'a@b', true, 1.5);
    insert into booked values (2, '[5,20)');
    insert into absent values (2, 1); insert into chained values (2, 1);
  `);
  const { exit, stderr } = await verb(run, '--until-caught-up');
  // Once the tables are locked nobody's writing of that moment can be in the way: the handlers are asked at the first failure.
  expect(stderr.split('rows change while they are being written').length - 1).toBeLessThanOrEqual(3);
  const stopped = await west.query<{ what: string }>(
    'select concat_ws(\' \', relation, code, message, key) as what from sarrio.stopped order by relation collate "C"',
  );
  expect(stopped.map(({ what }) => what)).toEqual([
    expect.stringMatching(/^public\.absent SAR624 .*error 23505: remove\(…\) of public\.absent: there is no row with the key id = 77/),
    expect.stringMatching(/^public\.chained SAR624 what its handler has changed in public\.refused is not taken: .*23514/),
  ]);
  expect([exit, stderr]).toEqual(['refused', expect.any(String)]);
  await expectAlike(members, ['public.renamed', 'public.lowered', 'public.booked', 'public.checked', 'public.archive', 'public.refused', 'public.big']);
  const north = at(members, 2);
  expect((await north.query<{ email: string }>('select email from renamed order by id')).map(({ email }) => email).sort()).toEqual([
    'a',
    expect.stringMatching(/^a\.[12]$/),
  ]);
  expect(await north.query('select seen::text from renamed where id = 1')).toEqual(await east.query('select seen::text from renamed where id = 1'));
  const lowered = await north.query<{ id: string }>('select id::text, n::text from lowered where active');
  const archived = await north.query<{ id: string; n: string }>('select id::text, what, n::text from archive');
  expect([...lowered, ...archived].map(({ id }) => id).sort()).toEqual(['3', '9007199254740993']);
  expect(archived[0]?.n).toBe(archived[0]?.id === '3' ? '1.5' : '1.50');
  expect(await rowsOf(north, 'checked')).toEqual(['(1,2,"2026-01-02 03:04:05.123456+00")']);
  const booked = await north.query<{ during: string }>('select during::text from booked');
  expect(booked.map(({ during }) => during).sort()).toEqual([expect.stringMatching(/^\[/), 'empty']);
  // Of a round that is too large for the runner's memory, too.
  const [big] = await north.query(
    'select count(*)::integer as rows, count(*) filter (where v = -1)::integer as checked, count(*) filter (where v = -2)::integer as taken from big',
  );
  expect(big).toEqual({ rows: 1501, checked: 1, taken: 1 });
  for (const member of members) {
    const recorded = await member.query<{ what: string }>("select concat_ws(' ', relation, kind, strategy, decision) as what from sarrio.conflict order by 1");
    expect(recorded.map(({ what }) => what)).toEqual([
      'public.archive error 23505 handler insert',
      'public.big error 23505 handler update',
      'public.big error 23514 handler update',
      'public.booked error 23P01 handler update',
      'public.checked error 23514 handler update',
      'public.lowered error 23505 handler remove',
      'public.renamed error 23505 handler update',
    ]);
  }
});

test('a handler is told the error, the row, what is in its way and what every member holds of all of them', { timeout: 60_000 }, async () => {
  const told = `(f) => { throw new Error(JSON.stringify(
    { error: f.error, database: f.database, key: f.key, arriving: f.arriving, inTheWay: f.inTheWay, rows: f.rows, tries: f.tries },
    (_, value) => (typeof value === 'bigint' ? 'n' : value))) }`;
  const { members, verb } = await handled('create table t (id integer primary key, v text, n numeric);', {
    tables: excepting({ t: told }),
    count: 2,
    seed: "insert into t values (5, 'far', 1)",
  });
  await onAll(members, 'create unique index t_low on t (lower(v))');
  await verb(pull);
  await verb(compile);
  await verb(apply);
  await at(members, 0).script("update t set v = 'X', n = 1.50 where id = 5");
  await at(members, 1).script("insert into t values (2, 'x', 2)");
  await verb(run, '--until-caught-up');
  const [stopped] = await at(members, 0).query<{ message: string }>('select message from sarrio.stopped');
  const json = JSON.parse(/threw Error: (\{.*\})/.exec(stopped?.message ?? '')?.[1] ?? 'null') as Record<string, unknown>;
  const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  const own = { id: 5, v: 'X', n: '1.50' };
  const other = { id: 2, v: 'x', n: '2' };
  const versionsOf = {
    5: [
      { database: 'east', row: own, time, timeMicros: 'n', operation: 'update' },
      { database: 'west', row: { id: 5, v: 'far', n: '1' }, time: null, timeMicros: null, operation: null },
    ],
    2: [
      { database: 'east', row: null, time: null, timeMicros: null, operation: null },
      { database: 'west', row: other, time, timeMicros: 'n', operation: 'insert' },
    ],
  };
  const error = { code: '23505', message: expect.any(String), detail: expect.any(String), constraint: 't_low', table: 'public.t' };
  // Either member may be the one that is asked about first.
  const isEast = json['database'] === 'east';
  expect(json).toEqual({
    error,
    database: isEast ? 'east' : 'west',
    tries: 0,
    key: { id: isEast ? 2 : 5 },
    arriving: isEast ? other : own,
    inTheWay: [{ key: { id: isEast ? 5 : 2 }, row: isEast ? own : other, rows: versionsOf[isEast ? 5 : 2] }],
    rows: versionsOf[isEast ? 2 : 5],
  });
});

/** The round that carries it out passes them all; the one that fails passes the first one only. */
const POINTS = ['masters.before-apply', 'masters.after-rows', 'masters.before-commit', 'masters.commit-sent'] as const;

test('what a handler changes is changed once, wherever the runner is killed', { timeout: 300_000 }, async () => {
  const schema = 'create table t (id integer primary key, v integer unique, n integer not null); create table log (id integer primary key, n integer);';
  const handler =
    "({ inTheWay: [other], update, of }) => (other ? retry(update(other.key, { v: 1000 + other.key.id, n: other.row.n + 1 }), of('public.log').update({ id: 1 }, { n: other.key.id })) : stop())";
  const { members, generated, env, verb } = await handled(schema, { tables: excepting({ t: handler }), seed: 'insert into log values (1, 0)' });
  for (const [index, point] of POINTS.entries()) {
    await at(members, 0).script(`insert into t values (${index * 2 + 1}, ${index}, 0)`);
    await at(members, 1).script(`insert into t values (${index * 2 + 2}, ${index}, 0)`);
    const running = startSarrio(['run', '--generated', generated], { env: { ...env, SARRIO_FAILPOINT: `${point}=kill` } });
    await waitUntil(`the runner is killed at ${point}`, () => running.ended.then(() => true), { timeoutMs: 60_000 });
  }
  expect((await verb(run, '--until-caught-up')).exit).toBe('ok');
  await expectAlike(members, ['public.t', 'public.log']);
  const rows = await at(members, 2).query<{ id: number; v: number; n: number }>('select id, v, n from t order by id');
  expect(rows).toHaveLength(POINTS.length * 2);
  for (const index of POINTS.keys()) {
    const pair = rows.slice(index * 2, index * 2 + 2);
    // One has kept its value, and the other one was counted once.
    expect(pair.map(({ v }) => v).sort((a, b) => a - b)).toEqual([index, expect.any(Number)]);
    expect(pair.map(({ n }) => n).sort()).toEqual([0, 1]);
    expect(pair.every(({ id, v, n }) => (n === 1 ? v === 1000 + id : v === index))).toBe(true);
  }
});
