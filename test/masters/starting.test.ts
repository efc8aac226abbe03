import { expect, test } from 'vitest';
import { noFailpoint } from '../../src/runner/failpoint.ts';
import { catchUp } from '../support/follow.ts';
import { masters } from '../support/masters.ts';
import { pause } from '../support/wait.ts';

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
