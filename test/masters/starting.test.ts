import { expect, test } from 'vitest';
import { noFailpoint } from '../../src/runner/failpoint.ts';
import { catchUp, follow } from '../support/follow.ts';
import { at, expectAlike, masters } from '../support/masters.ts';
import { pause, waitUntil } from '../support/wait.ts';
import { freshDatabase } from '../support/databases.ts';

const T = 'create table t (id integer primary key, v text);';

/** Decided without it first, the conflict of the other two would be recorded, and then once more with it. */
test('a runner that starts waits for a member that is slow to connect: what all three wrote is decided once', async () => {
  const { members, project, conflicts } = await masters(T, { count: 3 });
  for (const [index, member] of members.entries()) await member.script(`insert into t values (1, '${index}')`);
  await catchUp(project, noFailpoint, (database) => pause(database === 'north' ? 400 : 0));
  expect(await conflicts()).toEqual(['insert/insert/insert take north']);
});

test('a member that cannot be reached is not waited for', async () => {
  const { members, project, conflicts, rows } = await masters(T, { count: 3 });
  for (const [index, member] of members.entries()) await member.script(`insert into t values (1, '${index}')`);
  const refused = new Error('nobody listens');
  const away = async (database: string): Promise<void> => {
    if (database === 'north') throw refused;
  };
  await expect(catchUp(project, noFailpoint, away)).rejects.toBe(refused);
  expect(await conflicts()).toEqual(['insert/insert take west']);
  expect(await rows()).toEqual(['(1,2)']);
});

/** Alone it has no rounds, which would find that its connections are not what they were. */
test('a member that was up alone and lost its connections lets the others in when they come back', { timeout: 120_000 }, async () => {
  const { members, project } = await masters(T, { count: 3 });
  const [east, west, north] = [at(members, 0), at(members, 1), at(members, 2)];
  const server = await freshDatabase('server');
  const cut = (name: string) =>
    server.query("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and application_name like 'sarrio%'", [name]);
  const following = follow(project);
  await west.script("insert into t values (1, 'all')");
  await waitUntil('all three are up', async () => (await north.query('select from t')).length === 1);
  for (const { name } of [east, north]) {
    await server.query(`alter database ${name} allow_connections false`);
    await cut(name);
  }
  const failures = (name: string) => following.events.filter((event) => event.kind === 'members-retry' && event.members.includes(name)).length;
  await waitUntil('the others are away', () => failures('east') > 1 && failures('north') > 1);
  await cut(west.name);
  await waitUntil(
    'west is connected anew',
    async () => (await server.query("select from pg_stat_activity where datname = $1 and application_name = 'sarrio target'", [west.name])).length > 0,
  );
  await west.script("insert into t values (2, 'west')");
  for (const { name } of [east, north]) await server.query(`alter database ${name} allow_connections true`);
  await waitUntil(
    'the row is everywhere',
    async () => (await Promise.all([east, north].map((each) => each.query('select from t where id = 2')))).every(({ length }) => length === 1),
    {
      timeoutMs: 60_000,
    },
  );
  await following.stop();
  await expectAlike(members, ['public.t']);
});
