import { expect, inject, onTestFinished, test } from 'vitest';
import type { TestDatabase } from '../support/database.ts';
import { freshDatabase } from '../support/databases.ts';
import { catchUp, onAll } from '../support/follow.ts';
import { installation } from '../support/installation.ts';
import { at, expectAlike } from '../support/masters.ts';
import { type FaultyProxy, startProxy } from '../support/proxy.ts';

/** What is sent in one go may come in pieces; none of them is answered sooner. */
const TRIP_MS = 20;
/** Rounds after the first one, which meets connections that know nothing yet. */
const ROUNDS = 3;

async function farAway(): Promise<FaultyProxy> {
  const proxy = await startProxy(inject('serverUrl'), { tripMs: TRIP_MS });
  onTestFinished(() => proxy.close());
  return proxy;
}

/** What each of a member's transactions said that moved its watermark, trip by trip up to its end. */
function tripsOfRounds(proxy: FaultyProxy): readonly (readonly string[])[] {
  const open = new Map<number, string[]>();
  const ended: string[][] = [];
  for (const { connection, text } of proxy.trips()) {
    if (text.includes('repeatable read, read write')) open.set(connection, []);
    const round = open.get(connection);
    round?.push(text.replace(/[^ -~]+/g, ' '));
    if (round === undefined || !/^Q[^ -~]*commit\0/.test(text)) continue;
    open.delete(connection);
    if (round.some((trip) => trip.includes('sarrio_move_watermark'))) ended.push(round);
  }
  return ended.slice(-ROUNDS);
}

test('a small round takes four trips to each master, where both have changed other rows', { timeout: 60_000 }, async () => {
  const members = [await freshDatabase('east'), await freshDatabase('west')];
  const [east, west] = [at(members, 0), at(members, 1)];
  await onAll(members, 'create table t (id integer primary key, v integer); insert into t values (1, 0), (2, 0)');
  const [near, far] = [await farAway(), await farAway()];
  const project = await installation({
    databases: { east, west },
    urls: { east: near.url(east.name), west: far.url(west.name) },
    syncs: { m: { mode: 'multi-master', members: ['east', 'west'], tables: ['public.t'], existingRows: 'keep', onConflict: 'last-update-wins' } },
  });
  expect((await project.apply()).diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  const change = (member: TestDatabase, id: number): Promise<void> => member.script(`update t set v = v + 1 where id = ${id}`);
  const left = { rounds: ROUNDS };
  const changeBoth = (): Promise<unknown> => Promise.all([change(east, 1), change(west, 2)]);
  await changeBoth();
  await catchUp(project, async (name) => {
    if (name === 'masters.after-commit' && left.rounds-- > 0) await changeBoth();
  });
  await expectAlike(members, ['public.t']);
  const [nearTrips, farTrips] = [tripsOfRounds(near), tripsOfRounds(far)];
  const most = (rounds: readonly (readonly string[])[]): number => Math.max(...rounds.map(({ length }) => length));
  expect([nearTrips.length, farTrips.length]).toEqual([ROUNDS, ROUNDS]);
  expect(most(nearTrips), JSON.stringify(nearTrips, null, 1)).toBeLessThanOrEqual(4);
  expect(most(farTrips), JSON.stringify(farTrips, null, 1)).toBeLessThanOrEqual(4);
});
