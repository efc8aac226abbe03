import { expect, test } from 'vitest';
import type { OneWaySync } from '../../src/index.ts';
import { type Position, positionAt } from '../../src/plan/position.ts';
import { openSource } from '../../src/runner/8-round/source.ts';
import { systemClock } from '../../src/runner/clock.ts';
import { noFailpoint } from '../../src/runner/failpoint.ts';
import { connect } from '../../src/runner/postgres/session.ts';
import { differingRows } from '../support/compare.ts';
import type { TestDatabase } from '../support/database.ts';
import { freshDatabase } from '../support/databases.ts';
import { catchUp, follow, onAll } from '../support/follow.ts';
import { installation, oneWayOf } from '../support/installation.ts';
import { purging } from '../support/purging.ts';
import { pause, waitUntil } from '../support/wait.ts';

const T = 'create table t (id integer primary key, v integer); create table other (id integer primary key);';
const EMPTY = '1';

const hop = (source: string, target: string): OneWaySync => ({ mode: 'one-way', source, targets: [target], tables: ['public.t', 'public.other'] });

const flagOf = async (database: TestDatabase, table = 't'): Promise<string> =>
  String((await database.query(`select last_value::text as flag from sarrio.filled_public_${table}`))[0]?.['flag']);

async function stage() {
  const [source, target] = [await freshDatabase('source'), await freshDatabase('target')];
  await onAll([source, target], T);
  const project = await installation({ databases: { source, target }, syncs: { s: hop('source', 'target') } });
  expect((await project.apply()).diagnostics).toEqual([]);
  await catchUp(project);
  const purger = await purging(source, (await project.generated()).plan);
  const empty = async (): Promise<void> => {
    await waitUntil('the delta table is marked empty', async () => {
      await purger.once();
      return (await flagOf(source)) === EMPTY;
    });
  };
  return { source, target, project, purger, empty };
}

test('an empty delta table is marked, a change takes the mark away and travels', async () => {
  const { source, target, project, purger, empty } = await stage();
  for (const change of [
    'insert into t select g, 0 from generate_series(1, 3) g',
    'update t set id = id + 10',
    'delete from t where id = 11',
    'truncate t',
    'begin; savepoint a; insert into t values (7, 7); rollback to a; insert into t values (8, 8); commit',
    "begin; insert into t values (9, 9); prepare transaction 'empty_flag'; commit prepared 'empty_flag'",
  ]) {
    await empty();
    for (const each of change.split('; ').map((text) => text.trim())) if (change.includes('prepare')) await prepared(source, each);
    if (!change.includes('prepare')) await source.query(change);
    expect(await flagOf(source)).not.toBe(EMPTY);
    expect(await flagOf(source, 'other')).toBe(EMPTY);
    await catchUp(project);
    expect(await differingRows(source, target, 'public.t')).toEqual([]);
  }
  await purger.close();
});

/** Statements of one session, kept between the calls. */
const sessions = new WeakMap<TestDatabase, Promise<{ query(text: string): Promise<unknown>; end(): Promise<void> }>>();
async function prepared(source: TestDatabase, statement: string): Promise<void> {
  const session = sessions.get(source) ?? source.connect();
  sessions.set(source, session);
  await (await session).query(statement);
  if (statement.startsWith('commit prepared')) await (await session).end();
}

test('a transaction that has written and not ended keeps the mark away, prepared or not', async () => {
  const { source, target, project, purger, empty } = await stage();
  await empty();
  const open = await source.connect();
  await open.query('begin');
  await open.query('insert into t values (1, 1)');
  for (let turn = 0; turn < 3; turn += 1) await purger.once();
  expect(await flagOf(source)).not.toBe(EMPTY);
  await open.query("prepare transaction 'held'");
  for (let turn = 0; turn < 3; turn += 1) await purger.once();
  expect(await flagOf(source)).not.toBe(EMPTY);
  await open.query("commit prepared 'held'");
  await open.end();
  await catchUp(project);
  expect(await differingRows(source, target, 'public.t')).toEqual([]);
  await purger.close();
});

test('nothing is overlooked while tables are emptied and marked as fast as can be', { timeout: 240_000 }, async () => {
  const { source, target, project, purger } = await stage();
  const running = follow(project);
  const marked = { times: 0 };
  const state = { on: true };
  const purge = (async () => {
    while (state.on) {
      await purger.once();
      if ((await flagOf(source)) === EMPTY) marked.times += 1;
    }
  })();
  const write = async (turn: number, writer: number): Promise<void> => {
    const id = turn * 2 + writer;
    await source.query(`begin; insert into t values (${id}, 0) on conflict do nothing; ${turn % 5 === 0 ? 'rollback' : 'commit'}`);
    if (turn % 5 !== 0) await waitUntil('the row has travelled', async () => (await target.query('select 1 from t where id = $1', [id])).length === 1);
  };
  // Lulls of every length: a table is marked in the long ones, and a change comes at any moment of the marking.
  for (let turn = 1; turn <= 60 || marked.times < 5; turn += 1) {
    await Promise.all([write(turn, 1), write(turn, 2)]);
    if (turn % 4 === 0) await pause((turn * 97) % 1_500);
  }
  state.on = false;
  await purge;
  await running.stop();
  await purger.close();
  expect(marked.times).toBeGreaterThan(0);
  expect(await differingRows(source, target, 'public.t')).toEqual([]);
});

/** As a writer leaves the flag that is killed while he says that the table is no longer empty. */
const KILLED = {
  'before he begins': 'select',
  'once the flag says nothing': "select setval('sarrio.filled_public_t', 2, false)",
  'once that is announced': "select setval('sarrio.filled_public_t', 2, false), nextval('sarrio.fillings')",
};

test('a source that knows the flags sees what has come into an empty table since, wherever the first writer was killed', async () => {
  const { source, project, purger, empty } = await stage();
  const sync = oneWayOf((await project.generated()).plan, 's');
  const open = () => connect({ database: 'source', url: source.url, variable: 'SOURCE_URL', role: 'source' });
  const opened = await openSource({ name: 'source', sync, connect: open, clock: systemClock, failpoint: noFailpoint });
  const look = async (from: Position) => {
    const reading = await opened.open(from);
    await reading.release();
    return { position: reading.position, found: reading.pending.map(({ ordinal, entries }) => [sync.tables[ordinal]?.source.name, entries]) };
  };
  for (const [when, left] of Object.entries(KILLED)) {
    await catchUp(project);
    await empty();
    const [now] = await source.query<{ now: string }>('select pg_current_snapshot()::text as now');
    const first = await look(positionAt(opened.history, now?.now ?? ''));
    const known = await look(first.position);
    expect([when, known.found]).toEqual([when, []]);
    await source.query(left);
    expect([when, (await look(known.position)).found]).toEqual([when, []]);
    await source.query('insert into t values ((select coalesce(max(id), 0) + 1 from t), 0)');
    expect([when, (await look(known.position)).found]).toEqual([when, [['t', 1]]]);
    await source.query('insert into other values ((select coalesce(max(id), 0) + 1 from other))');
    const both = new Map((await look(known.position)).found as [string, number][]);
    expect([when, both]).toEqual([
      when,
      new Map([
        ['t', 1],
        ['other', 1],
      ]),
    ]);
  }
  await opened.close();
  await purger.close();
});

test('what a cascade relays takes the mark away too', async () => {
  const [a, b, c] = [await freshDatabase('a'), await freshDatabase('b'), await freshDatabase('c')];
  await onAll([a, b, c], T);
  const project = await installation({ databases: { a, source: b, c }, syncs: { first: hop('a', 'source'), second: hop('source', 'c') } });
  expect((await project.apply()).diagnostics).toEqual([]);
  await catchUp(project);
  const purger = await purging(b, (await project.generated()).plan);
  for (const change of ['insert into t select g, 0 from generate_series(1, 3) g', 'insert into t select g, 0 from generate_series(100, 900) g', 'truncate t']) {
    await waitUntil('the middle is marked empty', async () => {
      await purger.once();
      return (await flagOf(b)) === EMPTY;
    });
    await a.query(change);
    await catchUp(project);
    await catchUp(project);
    expect(await differingRows(a, c, 'public.t')).toEqual([]);
  }
  await purger.close();
});
