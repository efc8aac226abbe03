import { describe, expect, test } from 'vitest';
import type { Failpoint } from '../../src/runner/failpoint.ts';
import type { TestDatabase } from '../support/database.ts';
import { catchUp } from '../support/follow.ts';
import { at, masters, type Masters } from '../support/masters.ts';
import { waitUntil } from '../support/wait.ts';

/**
 * A change reaches two of three masters, and the round's commit is lost at the one that made it. It is changed again there, and then the
 * other two bring the older row back. The rule would choose that one.
 */

const T = 'create table t (id integer primary key, v text);';
const RULE = { onConflict: ['west', 'north', 'east'] } as const;

async function cutOff(database: TestDatabase): Promise<void> {
  const backends = "pg_stat_activity where application_name like 'sarrio%' and datname = current_database()";
  await database.query(`select pg_terminate_backend(pid) from ${backends}`);
  await waitUntil('its sessions are gone', async () => (await database.query(`select from ${backends}`)).length === 0);
}

/** Once, when a round is about to commit; what came of it at the others is told too. */
function losing(change: () => Promise<void>, after: () => Promise<void> = async () => undefined): Failpoint {
  const lost = { count: 0 };
  return async (point) => {
    if (point === 'masters.before-commit' && lost.count++ === 0) await change();
    if (point === 'masters.after-commit' && lost.count === 1) await after();
  };
}

async function changedAgain(rows: number, after?: (between: Masters) => Promise<void>, transactions = 1): Promise<Masters> {
  const between = await masters(T, { count: 3, sync: RULE, seed: `insert into t select g, 'old' from generate_series(1, ${rows}) g` });
  const east = at(between.members, 0);
  for (let n = 0; n < transactions; n += 1) await east.script("update t set v = 'first'");
  const change = async (): Promise<void> => {
    await cutOff(east);
    await east.script("update t set v = 'second'");
  };
  await catchUp(
    between.project,
    losing(change, () => after?.(between) ?? Promise.resolve()),
  );
  return between;
}

describe('a change whose round was lost where it was made', () => {
  test.each([1, 1_500])('does not come back in the way of a later one (%d rows)', { timeout: 60_000 }, async (rows) => {
    const between = await changedAgain(rows);
    expect(new Set((await between.rows()).map((row) => row.replace(/^.*,/, '')))).toEqual(new Set(['second)']));
    expect(await between.conflicts()).toEqual([]);
  });

  test('neither when it was many changes', { timeout: 60_000 }, async () => {
    const between = await changedAgain(1, undefined, 40);
    expect(await between.rows()).toEqual(['(1,second)']);
    expect(await between.conflicts()).toEqual([]);
  });

  test('is a conflict where its entries do not name it', { timeout: 60_000 }, async () => {
    const nameless = async ({ members }: Masters): Promise<void> => {
      for (const member of members) await member.query('update sarrio.delta_public_t set change_origin = null, change_origin_xid = null');
    };
    const between = await changedAgain(1, nameless);
    expect(await between.rows()).toEqual(['(1,first)']);
    expect(await between.conflicts()).toEqual(['update/update/update take west']);
  });
});
