import { expect, onTestFinished, test } from 'vitest';
import { differingRows } from '../support/compare.ts';
import type { TestDatabase } from '../support/database.ts';
import { freshDatabase } from '../support/databases.ts';
import { follow } from '../support/follow.ts';
import { type Installation, installation } from '../support/installation.ts';
import { mastersOf } from '../support/mastering.ts';
import { lendReplication, roleUrl } from '../support/roles.ts';
import { waitUntil } from '../support/wait.ts';

/** Rows that applications change all the time are locked for rounds in the end. The runner's role has just the rights that the README tells. */

type Hot = {
  readonly east: TestDatabase;
  readonly west: TestDatabase;
  readonly runner: string;
  readonly project: Installation;
  readonly running: Installation;
};

async function hotMasters(): Promise<Hot> {
  const [east, west] = [await freshDatabase('east'), await freshDatabase('west')];
  const runner = `runner_${east.name}`;
  onTestFinished(async () => {
    for (const database of [east, west]) await database.script(`drop owned by ${runner} cascade`);
    await east.script(`drop role ${runner}`);
  });
  await east.script(`create role ${runner} login`);
  for (const database of [east, west]) {
    await database.script(`create table t (id integer primary key, n integer not null); insert into t select g, 0 from generate_series(1, 3) g;
      create table calm (id integer primary key);
      revoke create on schema public from public; grant temporary on database ${database.name} to ${runner};
      grant select, insert, update, delete on t, calm to ${runner};`);
  }
  await lendReplication(east, runner);
  const syncs = { group: mastersOf(['public.t', 'public.calm'], ['east', 'west'], { existingRows: 'keep' }) };
  const project = await installation({ databases: { east, west }, syncs, roles: { runner } });
  expect((await project.apply()).diagnostics).toEqual([]);
  return { east, west, runner, project, running: { ...project, env: { EAST_URL: roleUrl(east, runner), WEST_URL: roleUrl(west, runner) } } };
}

/** Changes the same rows without a pause, until stopped. */
function hammer(database: TestDatabase): { stop(): Promise<void> } {
  const state = { on: true };
  const work = async (): Promise<void> => {
    const client = await database.connect();
    for (let turn = 0; state.on; turn += 1) await client.query(`update t set n = n + 1 where id = ${1 + (turn % 3)}`).catch(() => undefined);
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

/** To lock a table needs no more than to write it: a member that may not lock it takes none of its rows either. */
test('hot rows are locked with the rights of rounds; where these are gone it is said, other tables go on, and the table does once they are back', async () => {
  const { east, west, runner, project, running } = await hotMasters();
  const following = follow(running);
  const writers = [hammer(east), hammer(west)];
  onTestFinished(async () => void (await Promise.all(writers.map((each) => each.stop()))));
  const locks = (): boolean => following.events.some((event) => event.kind === 'contention' && event.isLocking);
  await waitUntil('the table is locked for rounds', locks, { timeoutMs: 30_000 });
  const retries = () => following.events.flatMap((event) => (event.kind === 'members-retry' && event.code === 'SAR408' ? [event] : []));
  expect(retries()).toEqual([]);

  await west.script(`revoke update, delete on t from ${runner}`);
  await waitUntil('it says that it may not lock', () => retries().length > 0, { timeoutMs: 30_000 });
  expect(retries()[0]).toMatchObject({ members: ['west'], error: expect.stringMatching(/may not lock.*permission denied/s) });
  await east.script('insert into calm values (1)');
  await waitUntil('the other table goes on', async () => (await west.query('select from calm')).length === 1, { timeoutMs: 30_000 });
  const [stopped] = await west.query<{ code: string; message: string }>("select code, message from sarrio.stopped where relation = 'public.t'");
  expect(stopped).toMatchObject({ code: 'SAR623', message: expect.stringContaining('permission denied for table t') });
  for (const each of writers) await each.stop();

  await west.script(`grant update, delete on t to ${runner}; delete from t where id = 1`);
  await project.kick('--sync', 'group');
  await waitUntil('and this one once it may', async () => (await differingRows(east, west, 'public.t')).length === 0, { timeoutMs: 30_000 });
  expect(await east.query('select from t')).toHaveLength(2);
}, 120_000);
