import { expect, onTestFinished, test } from 'vitest';
import type { TestDatabase } from '../support/database.ts';
import { follow } from '../support/follow.ts';
import { at, masters } from '../support/masters.ts';
import { waitUntil } from '../support/wait.ts';

const SCHEMA = 'create table a (id integer primary key, n integer not null); create table z (id integer primary key, n integer not null);';
const SEED = 'insert into a select g, 0 from generate_series(1, 3) g; insert into z select g, 0 from generate_series(1, 3) g;';

/** Transactions without a pause that write the tables in the other order than the plan has them. */
function hammer(database: TestDatabase): { stop(): Promise<void> } {
  const state = { on: true };
  const work = async (): Promise<void> => {
    const client = await database.connect();
    for (let turn = 0; state.on; turn += 1) {
      const id = 1 + (turn % 3);
      await client
        .query(`begin; update z set n = n + 1 where id = ${id}`)
        .then(() => client.query(`update a set n = n + 1 where id = ${id}; commit`))
        .catch(() => client.query('rollback'));
    }
    await client.end();
  };
  const working = [work(), work(), work()];
  return {
    stop: async () => {
      state.on = false;
      await Promise.all(working);
    },
  };
}

test('applications that write the tables of a contested group in another order than the plan do not keep rounds from coming to an end', async () => {
  const { members, project, settles } = await masters(SCHEMA, { seed: SEED, compared: ['public.a', 'public.z'] });
  const [east, west] = [at(members, 0), at(members, 1)];
  const following = follow(project);
  const writers = [hammer(east), hammer(west)];
  onTestFinished(async () => void (await Promise.all(writers.map((each) => each.stop()))));
  await waitUntil('the tables are locked for rounds', () => following.events.some((event) => event.kind === 'contention' && event.isLocking), {
    timeoutMs: 30_000,
  });
  for (const id of [11, 12, 13]) {
    await west.script(`insert into z values (${id}, 0)`);
    await waitUntil('a row comes through', async () => (await east.query('select from z where id = $1', [id])).length === 1, { timeoutMs: 15_000 });
  }
  for (const each of writers) await each.stop();
  await following.stop();
  await settles();
  const deadlocks = following.events.filter((event) => event.kind === 'contention' && /deadlock/.test(event.error));
  expect(deadlocks.length).toBeLessThan(10);
}, 90_000);
