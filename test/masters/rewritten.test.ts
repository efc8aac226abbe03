import { describe, expect, test } from 'vitest';
import type { RunnerEvent } from '../../src/runner/events.ts';
import type { Failpoint } from '../../src/runner/failpoint.ts';
import { freshDatabase } from '../support/databases.ts';
import { catchUp } from '../support/follow.ts';
import { installation } from '../support/installation.ts';
import { at, expectAlike, masters, rowsOf } from '../support/masters.ts';

/** A snapshot that is older than such a statement finds the table empty: rows that it does not show have not been deleted. */

const T = 'create table t (id integer primary key, v text);';
const seed = (rows: number): string => `insert into t select g, 'old' from generate_series(1, ${rows}) g`;
/** The same rows in a new file. */
const REWRITE = 'alter table t alter column v type text using v || $$$$';

/** The first time that a round comes to the point. */
function onceAt(point: string, change: () => Promise<unknown>): Failpoint & { readonly passed: () => number } {
  const state = { passed: 0 };
  const failpoint = async (name: string): Promise<void> => {
    if (name === point && state.passed++ === 0) await change();
  };
  return Object.assign(failpoint, { passed: () => state.passed });
}

function tooLate(events: readonly RunnerEvent[]): readonly string[] {
  return events.flatMap((event) => (event.kind === 'contention' ? [`${event.error} ${event.isLocking}`] : []));
}

const said = (database: string): string => `database ${database}: public.t was altered or rewritten while being read; it is read again false`;

/** Few rows travel as text through the runner, many by COPY. */
const FEW_AND_MANY = ['id between 2 and 20', 'id > 1'];

describe('a table that is rewritten after the snapshot of a member is not taken for empty', () => {
  test('where changed rows are read', async () => {
    const { members, project, settles } = await masters(T, { count: 3, seed: seed(1_500) });
    const [east, west] = [at(members, 0), at(members, 1)];
    for (const range of FEW_AND_MANY) {
      await east.script(`update t set v = v || '+' where ${range}`);
      const late = onceAt('masters.before-exchange', () => east.script(REWRITE));
      expect(tooLate(await catchUp(project, late))).toEqual([said('east')]);
      await settles();
      expect(await rowsOf(west)).toHaveLength(1_500);
    }
  });

  test('where rows arrive', async () => {
    const { members, project, settles } = await masters(T, { seed: seed(1_500) });
    const [east, west] = [at(members, 0), at(members, 1)];
    for (const range of FEW_AND_MANY) {
      await east.script(`delete from t where ${range}`);
      const late = onceAt('masters.before-exchange', () => west.script(REWRITE));
      expect(tooLate(await catchUp(project, late))).toEqual([said('west')]);
      await settles();
    }
    expect(await rowsOf(west)).toEqual(['(1,old)']);
  });

  test('where a conflict is decided', async () => {
    const { members, project, settles, conflicts } = await masters(T, { sync: { onConflict: ['west', 'east'] }, seed: seed(1_500) });
    const [east, west] = [at(members, 0), at(members, 1)];
    for (const range of FEW_AND_MANY) {
      await east.script(`update t set v = 'east ${range}' where ${range}`);
      await west.script(`update t set v = 'west ${range}' where ${range}`);
      const late = onceAt('masters.before-exchange', () => west.script(REWRITE));
      expect(tooLate(await catchUp(project, late))).toEqual([said('west')]);
      await settles();
    }
    expect(new Set((await rowsOf(east)).map((row) => row.replace(/^.*,/, '')))).toEqual(new Set(['old)', '"west id > 1")']));
    expect(new Set(await conflicts())).toEqual(new Set(['update/update take west']));
  });

  test('where two rows want one unique value', async () => {
    const unique = `${T} create unique index t_v on t (v);`;
    const tables = [{ table: 'public.t', onUnique: 'keep-latest' }] as const;
    const { members, project, settles, conflicts } = await masters(unique, { sync: { tables }, seed: "insert into t values (1, 'a'), (2, 'b')" });
    const [east, west] = [at(members, 0), at(members, 1)];
    await east.script("insert into t values (3, 'c')");
    await west.script("insert into t values (4, 'c')");
    const late = onceAt('masters.before-exchange', () => east.script(REWRITE));
    await catchUp(project, late);
    await settles();
    expect(await rowsOf(east)).toEqual(['(1,a)', '(2,b)', '(4,c)']);
    expect(await conflicts()).toEqual(['unique t_v park']);
  });

  test.each([
    ['it', REWRITE],
    ['another table of its name', 'alter table t rename to away; create table t (id integer primary key, v text); insert into t select * from away'],
  ])('where a member joins and is copied (%s)', async (_, change) => {
    const [east, west] = [await freshDatabase('east'), await freshDatabase('west')];
    for (const each of [east, west]) await each.script(T);
    await east.script(seed(20));
    const sync = { mode: 'multi-master', members: ['east', 'west'], tables: ['public.t'], onConflict: 'last-update-wins' } as const;
    const project = await installation({ databases: { east, west }, syncs: { m: sync } });
    await project.apply();
    const late = onceAt('copy.before-load', () => east.script(change));
    await catchUp(project, late);
    expect(late.passed()).toBeGreaterThan(1);
    await expectAlike([east, west], ['public.t']);
    expect(await rowsOf(west)).toHaveLength(20);
  });
});

test('another table that came under the name after the snapshot is not read in its place', async () => {
  const { members, project, settles } = await masters(T, { seed: seed(5) });
  const [east, west] = [at(members, 0), at(members, 1)];
  await east.script("update t set v = 'new'");
  const away = onceAt('masters.before-exchange', () => east.script('alter table t rename to away; create table t (id integer primary key, v text)'));
  const back: { done: Promise<void> | null } = { done: null };
  await catchUp(project, async (point) => {
    await away(point);
    // Before any member looks again, the table has its name back.
    if (point !== 'masters.before-look' || away.passed() === 0) return;
    back.done ??= east.script('drop table t; alter table away rename to t');
    await back.done;
  });
  await settles();
  expect(await rowsOf(west)).toEqual(['(1,new)', '(2,new)', '(3,new)', '(4,new)', '(5,new)']);
});

test('an application that rewrites or truncates the table at every round does not keep rounds from coming to an end', async () => {
  const { members, project, settles } = await masters(`${T} create table u (id integer primary key, v text);`, {
    seed: seed(5),
    compared: ['public.t', 'public.u'],
  });
  const [east, west] = [at(members, 0), at(members, 1)];
  const outcomes: string[] = [];
  const impatient = async (sql: string): Promise<void> => {
    const outcome = await east.script(`set lock_timeout = '100ms'; ${sql}`).then(
      () => 'done',
      (error: unknown) => String((error as { code?: unknown }).code),
    );
    outcomes.push(outcome);
  };
  for (const sql of [REWRITE, "truncate t; insert into t select g, 'again' from generate_series(1, 5) g"]) {
    await east.script("update t set v = 'new'; insert into u select count(*), 'new' from u");
    outcomes.length = 0;
    const events = await catchUp(project, async (point) => {
      if (point === 'masters.before-exchange') await impatient(sql);
    });
    // The next round holds the table before it takes its snapshot, and keeps nobody from writing to it.
    expect(outcomes.slice(0, 2)).toEqual(['done', '55P03']);
    expect(tooLate(events)).toEqual([said('east')]);
  }
  await settles();
  expect(await rowsOf(west)).toHaveLength(5);
});
