import { expect, test } from 'vitest';
import type { Reading } from '../../src/runner/8-round/reading.ts';
import { openSource } from '../../src/runner/8-round/source.ts';
import { systemClock } from '../../src/runner/clock.ts';
import { noFailpoint } from '../../src/runner/failpoint.ts';
import { type Position, positionAt } from '../../src/plan/position.ts';
import { connect, type Session } from '../../src/runner/postgres/session.ts';
import type { TestDatabase } from '../support/database.ts';
import { oneWayOf } from '../support/installation.ts';
import { replicated } from '../support/runner.ts';
import { waitUntil } from '../support/wait.ts';

const OURS = "select from pg_stat_activity where datname = current_database() and application_name like 'sarrio%'";

async function noneIsOpen(source: TestDatabase): Promise<void> {
  await waitUntil('no session of ours is open', async () => (await source.query(OURS)).length === 0);
}

/** A source of which the connection after the first `at_once` waits to be let go. */
async function slowSource(atOnce: number) {
  const { source, project } = await replicated('create table t (id integer primary key);');
  const sync = oneWayOf((await project.generated()).plan, 's');
  const held: { opened: number; go: () => void } = { opened: 0, go: () => undefined };
  const open = async (): Promise<Session> => {
    held.opened += 1;
    if (held.opened > atOnce) {
      await new Promise<void>((resolve) => {
        held.go = resolve;
      });
    }
    return connect({ database: 'source', url: source.url, variable: 'SOURCE_URL', role: 'source' });
  };
  const opened = await openSource({ name: 'source', sync, connect: open, clock: systemClock, failpoint: noFailpoint });
  const [row] = await source.query<{ now: string }>('select pg_current_snapshot()::text as now');
  return { source, opened, from: positionAt(opened.history, row?.now ?? ''), held };
}

test('a connection that is still being made when the source is closed does not stay open', async () => {
  const { source, opened, from, held } = await slowSource(2);
  const reading = await opened.open(from);
  const opening = reading.openBulk();
  const refused = expect(opening).rejects.toThrow('the source was closed meanwhile');
  await waitUntil('a third connection is asked for', async () => held.opened === 3);
  await opened.close();
  held.go();
  await refused;
  await noneIsOpen(source);
});

test('a snapshot that has ended before it is imported leaves no transaction open', async () => {
  const { source, opened, from, held } = await slowSource(2);
  const reading = await opened.open(from);
  const opening = reading.openBulk();
  const refused = expect(opening).rejects.toThrow(/invalid snapshot identifier|snapshot .* does not exist/);
  await waitUntil('a third connection is asked for', async () => held.opened === 3);
  await reading.release();
  held.go();
  await refused;
  await opened.close();
  await noneIsOpen(source);
});

test('positions of a moment ago share a snapshot when the same is pending after both, and only then', async () => {
  const { source, opened, from } = await slowSource(9);
  const look = async (positions: readonly Position[]) => {
    const readings = await Promise.all(positions.map((position) => opened.open(position)));
    await Promise.all(readings.map((reading) => reading.release()));
    return readings;
  };
  const pending = (readings: readonly Reading[]) => readings.map((reading) => reading.pending.map(({ entries }) => entries));
  const [first] = await look([from]);
  await source.query('create table other (id integer)');
  const [second] = await look([from]);
  if (!first || !second) throw new Error('no reading');
  expect(second.position).not.toEqual(first.position);
  await source.query('insert into t values (1), (2)');
  const shared = await look([first.position, second.position]);
  expect(pending(shared)).toEqual([[2], [2]]);
  expect(shared[1]?.from).toEqual(first.position);
  const [third] = shared;
  if (!third) throw new Error('no reading');
  await source.query('insert into t values (3)');
  const apart = await look([second.position, third.position]);
  expect(pending(apart)).toEqual([[3], [1]]);
  expect(apart[1]?.from).toEqual(third.position);
  await opened.close();
  await noneIsOpen(source);
});
