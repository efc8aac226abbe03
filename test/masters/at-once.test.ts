import { expect, test } from 'vitest';
import type { Failpoint } from '../../src/runner/failpoint.ts';
import { catchUp } from '../support/follow.ts';
import { at, masters, type Masters } from '../support/masters.ts';
import { waitUntil } from '../support/wait.ts';

/** So many that each member reads on a second connection while the first one takes in what comes. */
const ROWS = 2_000;
const CONTESTED = 500;

/** Changed at both: rows of their own at each, and some at both of them. */
async function changed(): Promise<Masters> {
  const between = await masters('create table t (id integer primary key, v text);', {
    seed: `insert into t select g, 'old' from generate_series(1, ${ROWS}) as g`,
  });
  await at(between.members, 0).script(`update t set v = 'east' where id <= ${ROWS / 2}`);
  await at(between.members, 1).script(`update t set v = 'west' where id > ${ROWS / 2 - CONTESTED}`);
  return between;
}

async function expectMerged(between: Masters): Promise<void> {
  const rows = await between.rows();
  expect(rows.filter((row) => row.endsWith(',east)')).length).toBe(ROWS / 2 - CONTESTED);
  expect(rows.filter((row) => row.endsWith(',west)')).length).toBe(ROWS / 2 + CONTESTED);
  expect((await between.conflicts()).length).toBe(CONTESTED);
}

/** Counts how often the point was passed, and does something the first time. */
function atFirst(work: () => Promise<void>): { readonly failpoint: Failpoint; readonly state: { passed: number } } {
  const state = { passed: 0 };
  return {
    state,
    failpoint: async (name) => {
      if (name !== 'masters.before-both') return;
      state.passed += 1;
      if (state.passed === 1) await work();
    },
  };
}

/** What shows a snapshot that somebody else has taken. */
const READERS = "from pg_stat_activity where datname = current_database() and application_name = 'sarrio source' and query like 'set transaction snapshot%'";

const WAITS = "select exists (select from pg_locks where relation = 't'::regclass and not granted) as waits";

test.each([
  ['first', 0],
  ['second', 1],
])('the second connection to the %s member is lost before what it reads has come: the round is made again', async (_, lost) => {
  const between = await changed();
  const ended: unknown[] = [];
  const { failpoint, state } = atFirst(async () => {
    ended.push(...(await at(between.members, lost).query(`select pg_terminate_backend(pid, 10000) ${READERS}`)));
  });
  await catchUp(between.project, failpoint);
  expect([ended.length, state.passed]).toEqual([1, 2]);
  await expectMerged(between);
});

test('an application that waits for our first connection is not waited for by the second one: the round gives way, and is made again', {
  // Less than the 30 seconds that a connection to a source waits for a lock otherwise.
  timeout: 25_000,
}, async () => {
  const between = await changed();
  const application = await at(between.members, 0).connect();
  const isWaiting = async (): Promise<boolean> => (await at(between.members, 0).query<{ waits: boolean }>(WAITS))[0]?.waits ?? false;
  const ended: Promise<unknown>[] = [];
  const waitsAtCommit: boolean[] = [];
  const { failpoint, state } = atFirst(async () => {
    ended.push(application.query('begin; lock table t in access exclusive mode; commit'));
    await waitUntil('the application waits', isWaiting);
  });
  await catchUp(between.project, async (name) => {
    await failpoint(name);
    if (name === 'masters.before-commit') waitsAtCommit.push(await isWaiting());
  });
  await Promise.all(ended);
  await application.end();
  expect([ended.length, state.passed > 0, waitsAtCommit[0]]).toEqual([1, true, false]);
  await expectMerged(between);
});
