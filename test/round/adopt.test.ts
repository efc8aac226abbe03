import { describe, expect, test } from 'vitest';
import { verb as copyVerb } from '../../src/commands/copy.ts';
import type { OneWaySync } from '../../src/index.ts';
import type { RunnerEvent } from '../../src/runner/events.ts';
import { eventText } from '../../src/runner/print-text.ts';
import { ADOPTION_POINTS } from '../crash/points.ts';
import { differingRows } from '../support/compare.ts';
import type { TestDatabase } from '../support/database.ts';
import { freshDatabase } from '../support/databases.ts';
import { catchUp, cutOff, follow, onAll } from '../support/follow.ts';
import { installation } from '../support/installation.ts';
import { expectAlike } from '../support/masters.ts';
import { mastersOf } from '../support/mastering.ts';
import { oneWayPair, type Pair } from '../support/one-way.ts';
import { runVerb } from '../support/run-verb.ts';
import { waitUntil } from '../support/wait.ts';

const T = "create table t (id integer primary key, code integer unique, v text, at timestamptz not null default '2026-01-01');";
const FILL = "insert into t select g, g, repeat('x', g % 50) from generate_series(1, 12000) g;";
/** Of everything something: lost rows, strays, values that changed hands, and what a null and an empty text differ by. */
const SPOIL = [
  'delete from t where id % 1000 = 0',
  "insert into t values (-1, -1, 'stray'), (-2, null, null), (99999, 99999, '')",
  "update t set v = v || '!' where id % 1500 = 1",
  'update t set v = null where id = 50',
  'update t set code = -code where id in (7, 8001); update t set code = 8001 where id = 7; update t set code = 7 where id = 8001',
];
/** 1, 1501, … 10501; 50; 7 and 8001. */
const DIFFERENCES = 'public.t +12 ~11 -3';

/** Counts what is written to the table, whoever writes it. */
const NOTE = `create table written (op text, id integer);
  create function note() returns trigger language plpgsql as 'begin insert into public.written values (tg_op, coalesce(new.id, old.id)); return null; end';
  create trigger note after insert or update or delete on t for each row execute function note(); alter table t enable always trigger note;`;

/** What comparing has found, and `range` for each range that was copied. */
function compared(events: readonly RunnerEvent[]): readonly string[] {
  return events.flatMap((event) => {
    if (event.kind === 'copy-range') return ['range'];
    return event.kind === 'copy-compared' ? [`${event.table} +${event.inserts} ~${event.updates} -${event.deletes}`] : [];
  });
}

/** Rows with the transactions that wrote them. */
async function versions(database: TestDatabase): Promise<ReadonlyMap<string, string>> {
  const rows = await database.query<{ id: string; xmin: string }>('select id::text as id, xmin::text as xmin from t');
  return new Map(rows.map(({ id, xmin }) => [id, xmin]));
}

async function writtenKeys(database: TestDatabase): Promise<readonly number[]> {
  return (await database.query<{ id: number }>('select distinct id from written order by id')).map(({ id }) => id);
}

async function spoiltPair(): Promise<Pair> {
  const pair = await oneWayPair(T, { tables: ['public.t'], existingRows: 'adopt', copy: { chunk: '1 MB' } });
  await onAll([pair.source, pair.target], FILL);
  await pair.target.script(SPOIL.join(';'));
  await pair.target.script(NOTE);
  return pair;
}

describe('a target that holds rows is adopted', () => {
  test('only what differs is written, which is said before; whatever is written meanwhile comes with the next round', async () => {
    const { source, target, project } = await spoiltPair();
    const before = await versions(target);
    const state = { turn: 0 };
    const events = await catchUp(project, async (name) => {
      if (name !== 'copy.after-sums' && name !== 'copy.before-differences') return;
      expect(await writtenKeys(target)).toEqual([]);
      state.turn += 1;
      await source.query(`update t set v = 'meanwhile ${state.turn}' where id in (${state.turn}, 3000)`);
      await source.script(`delete from t where id in (${100 + state.turn}, 99999); insert into t values (${200_000 + state.turn}, null, 'new')`);
    });
    expect(state.turn).toBe(2);
    expect(compared(events)).toEqual([DIFFERENCES]);
    expect(await differingRows(source, target, 'public.t')).toEqual([]);
    const [after, touched] = [await versions(target), await writtenKeys(target)];
    const same = [...before.keys()].filter((id) => !touched.includes(Number(id)));
    expect(same.length).toBeGreaterThan(11_900);
    expect(same.filter((id) => before.get(id) !== after.get(id))).toEqual([]);
    expect((await project.verify()).exit).toBe('ok');
    expect((await project.status()).text).not.toContain('unverified');
    const lines = events.flatMap((event) => (event.kind === 'copy-compared' ? [eventText(event)] : []));
    expect(lines).toEqual(['s: source -> target: public.t: compared with the source, writing 12 inserts, 11 updates, 3 deletes']);
  });

  test.each([...ADOPTION_POINTS, 'copy.before-claim', 'round.target.in-replace', 'copy.before-finish', 'copy.before-commit', 'copy.commit-sent'])(
    'a run that ends at %s has written nothing or all, and the next one ends it',
    async (point) => {
      const { source, target, project } = await spoiltPair();
      const before = await versions(target);
      await cutOff(project, point, 1);
      if (point !== 'copy.commit-sent') expect(await versions(target)).toEqual(before);
      await source.script("update t set v = 'between' where id % 777 = 0; delete from t where id = 4; insert into t values (-1, null, 'own')");
      await catchUp(project);
      expect(await differingRows(source, target, 'public.t')).toEqual([]);
      expect((await writtenKeys(target)).length).toBeLessThan(60);
    },
  );

  test('while writers go on without a pause', async () => {
    const { source, target, project } = await spoiltPair();
    const writing = { on: true };
    const writers = [0, 1, 2, 3].map(async (seed) => {
      for (let turn = 0; writing.on; turn += 1) {
        const id = ((turn * 41 + seed * 3001) % 12_000) + 1;
        await source.query('update t set v = $1 where id = $2', [`${seed}.${turn}`, id]);
        if (turn % 5 === seed) await source.query('delete from t where id = $1', [id]);
        if (turn % 3 === 0)
          await source.query('insert into t values ($1, null, $2) on conflict (id) do update set v = excluded.v', [seed * 1_000_000 + turn, 'new']);
      }
    });
    const following = follow(project);
    await waitUntil('it is adopted', () => following.events.some(({ kind }) => kind === 'copy-finished'));
    await waitUntil('rounds go on', () => following.events.filter(({ kind }) => kind === 'round').length > 5);
    await following.stop();
    writing.on = false;
    await Promise.all(writers);
    await catchUp(project);
    expect(compared(following.events)).toEqual([expect.stringMatching(/^public.t \+\d+ ~\d+ -\d+$/)]);
    expect(await differingRows(source, target, 'public.t')).toEqual([]);
  });

  test('an empty table is copied in ranges, an equal one is only compared', async () => {
    const equal = 'create table equal (id integer primary key, v text); insert into equal select g, g::text from generate_series(1, 3000) g;';
    const { source, target, project } = await oneWayPair(`${T} ${equal}`, { existingRows: 'adopt', copy: { chunk: '1 MB' } });
    await source.script(`${FILL} insert into t select g, g, repeat('y', 200) from generate_series(20001, 30000) g`);
    const events = await catchUp(project);
    expect(new Set(compared(events))).toEqual(new Set(['public.equal +0 ~0 -0', 'range']));
    expect(events.some((event) => eventText(event)?.includes('public.equal: the rows that it holds are those of the source already'))).toBe(true);
    expect(await differingRows(source, target, 'public.t', 'public.equal')).toEqual([]);
  });

  test('more differences than keys travel at once, most of them not at the target at all', async () => {
    const { source, target, project } = await oneWayPair(T, { existingRows: 'adopt' });
    await source.script(FILL);
    await target.script(
      `${FILL} delete from t where id > 2000; update t set code = null; update t set code = 2001 - id; insert into t select -g, -g from generate_series(1, 6000) g`,
    );
    expect(compared(await catchUp(project))).toEqual(['public.t +10000 ~2000 -6000']);
    expect(await differingRows(source, target, 'public.t')).toEqual([]);
  });

  test('a source that is rewritten in the middle empties nothing', async () => {
    const { source, target, project } = await spoiltPair();
    const state = { isDone: false };
    const rewrite = async (name: string): Promise<void> => {
      if (name !== 'copy.after-sums' || state.isDone) return;
      state.isDone = true;
      await source.script("alter table t alter v type text using v || ''");
    };
    const events = await catchUp(project, rewrite);
    expect(events.flatMap((event) => (event.kind === 'retry' ? [event.error] : []))).toEqual([expect.stringContaining('public.t was altered or rewritten')]);
    expect(compared(events)).toEqual([DIFFERENCES]);
    expect((await writtenKeys(target)).length).toBe(26);
    expect(await differingRows(source, target, 'public.t')).toEqual([]);
  });

  test('an archive keeps its own rows; a filter, a rename and a computed column hold', async () => {
    const { source, target, project } = await oneWayPair(T, {
      tables: [
        { table: 'public.t', where: 'id % 2 = 0', rename: 'public.half', columns: { omit: ['at'], rename: { v: 'text' }, compute: { long: 'length(v)' } } },
      ],
      targetSchema: 'create table half (id bigint primary key, code integer unique, text text, long integer);',
      existingRows: 'adopt',
      skip: ['delete'],
    });
    await source.script(FILL);
    await target.script(`insert into half select g, g, repeat('x', g % 50), g % 50 from generate_series(2, 12000, 2) g;
      insert into half values (1, -1, 'its own', 7), (5000000000, null, null, null); update half set long = 99 where id = 40; delete from half where id = 100`);
    expect(compared(await catchUp(project))).toEqual(['public.half +1 ~1 -0']);
    expect(await target.query("select id from half where text = 'its own' or id > 12000")).toHaveLength(2);
    await target.script('delete from half where id in (1, 5000000000)');
    const columns = { id: 'id', code: 'code', text: 'v', long: 'length(v)' };
    expect(await differingRows(source, target, { source: 'public.t', target: 'public.half', where: 'id % 2 = 0', columns })).toEqual([]);
  });

  test('keys are told apart by the target: spelled differently, in a domain, or too large for the type of the source', async () => {
    const schema = `create domain label as varchar(20) not null check (value <> '');
      create table t (n numeric, k label, v integer, primary key (n, k)); create table small (id integer primary key, v text);`;
    const { source, target, project } = await oneWayPair(schema, {
      targetSchema: schema.replace('small (id integer', 'small (id bigint'),
      existingRows: 'adopt',
    });
    await source.script("insert into t values (1.0, 'a', 1), (2, 'b', 2), (3, 'c', 3); insert into small values (1, 'one')");
    await target.script("insert into t values (1.00, 'a', 1), (2, 'b', 2), (3, 'C', 3), (1e40, 'far away', 9)");
    await target.script("insert into small values (1, 'one'), (4294967297, 'beyond')");
    expect([...compared(await catchUp(project))].sort()).toEqual(['public.small +0 ~0 -1', 'public.t +1 ~1 -2']);
    expect(await target.query('select n::text as n, k, v from t order by t.n')).toEqual([
      { n: '1.0', k: 'a', v: 1 },
      { n: '2', k: 'b', v: 2 },
      { n: '3', k: 'c', v: 3 },
    ]);
    expect(await target.query('select v from small')).toEqual([{ v: 'one' }]);
  });

  test('what is written goes on to the databases that follow the target, and nothing else', async () => {
    const [first, second, third] = [await freshDatabase('first'), await freshDatabase('second'), await freshDatabase('third')];
    await onAll([first, second, third], `${T} ${FILL}`);
    await second.script("update t set v = 'drifted' where id = 5; delete from t where id = 6; insert into t values (-1, -1, 'stray')");
    await third.script(NOTE);
    const hop = (source: string, target: string): OneWaySync => ({ mode: 'one-way', source, targets: [target], tables: ['public.t'], existingRows: 'adopt' });
    const project = await installation({ databases: { first, second, third }, syncs: { a: hop('first', 'second'), b: hop('second', 'third') } });
    const rule = 'rows that stand in the target are compared, only what differs is written, and what the source has not is deleted';
    expect((await project.plan()).text).toContain(rule);
    expect((await project.apply()).diagnostics).toEqual([]);
    await catchUp(project);
    await catchUp(project);
    expect(await differingRows(first, third, 'public.t')).toEqual([]);
    expect((await writtenKeys(third)).filter((id) => ![5, 6, -1].includes(id))).toEqual([]);
  });

  test('copied anew it is compared again, unless its rows are to be replaced', async () => {
    const { source, target, project } = await spoiltPair();
    await catchUp(project);
    await target.script("update t set v = 'drifted' where id = 5; truncate written");
    const anew = (...args: readonly string[]) =>
      runVerb(copyVerb, ['--sync', 's', '--target', 'target', ...args, '--generated', project.dir], { cwd: project.dir, env: project.env });
    expect((await anew()).exit).toBe('ok');
    expect(compared(await catchUp(project))).toEqual(['public.t +0 ~1 -0']);
    expect(await target.query('select * from written')).toEqual([{ op: 'UPDATE', id: 5 }]);
    expect((await anew('--replace')).exit).toBe('ok');
    expect(compared(await catchUp(project)).filter((line) => line !== 'range')).toEqual([]);
    expect((await target.query("select from written where op = 'DELETE'")).length).toBe(12_000);
    expect(await differingRows(source, target, 'public.t')).toEqual([]);
  });
});

test('a second and a third master are seeded by comparing: equal rows stay, and they are alike whatever is written meanwhile', async () => {
  const databases = { east: await freshDatabase('east'), west: await freshDatabase('west'), north: await freshDatabase('north') };
  const { east, west, north } = databases;
  await onAll([east, west, north], `${T} ${FILL}`);
  await west.script(SPOIL.join(';'));
  await north.script('delete from t where id > 11990');
  const sync = mastersOf(['public.t'], ['east', 'west', 'north'], { existingRows: 'adopt', onUnique: 'keep-latest' });
  const project = await installation({ databases, syncs: { m: sync } });
  expect((await project.apply()).diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  await west.script(NOTE);
  await cutOff(project, 'copy.before-differences', 1);
  expect(await writtenKeys(west)).toEqual([]);
  const state = { isDone: false };
  const events = await catchUp(project, async (name) => {
    if (name !== 'copy.after-sums' || state.isDone) return;
    state.isDone = true;
    await east.script("update t set v = 'of east' where id = 20; delete from t where id = 21");
    await west.script("update t set v = 'of west' where id = 30; insert into t values (300000, 300000, 'of west')");
  });
  expect([...compared(events)].sort()).toEqual([expect.stringMatching(/^public.t \+10 ~[01] -[01]$/), expect.stringMatching(/^public.t \+12 /)]);
  await expectAlike([east, west, north], ['public.t']);
  expect(await north.query('select id, v from t where id in (20, 21, -1) order by id')).toEqual([{ id: 20, v: 'of east' }]);
  expect((await writtenKeys(west)).length).toBeLessThan(60);
});
