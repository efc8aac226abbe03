import { expect, inject, onTestFinished, test } from 'vitest';
import { buildOnce } from '../support/build.ts';
import { startSarrio } from '../support/cli.ts';
import { withDatabase } from '../support/database.ts';
import { freshDatabase } from '../support/databases.ts';
import { installation } from '../support/installation.ts';
import { type FaultyProxy, startProxy, type Trip } from '../support/proxy.ts';
import { waitUntil } from '../support/wait.ts';

const TABLES = Array.from({ length: 20 }, (_, index) => `t${index}`);
const ROUNDS = 5;
/** At most so many round trips to each side, however many tables a small round changes. */
const TRIPS = 3;

async function behindProxy(database: string): Promise<FaultyProxy & { readonly whole: string }> {
  const proxy = await startProxy(inject('serverUrl'), { tripMs: 50 });
  onTestFinished(() => proxy.close());
  return { ...proxy, whole: withDatabase(proxy.url('postgres'), database) };
}

/** Trips of one connection, from each that begins a transaction to the next one; without those that only end it, for which no row waits. */
function transactions(trips: readonly Trip[], begins: string): readonly (readonly string[])[] {
  const open = new Map<number, string[]>();
  const all: string[][] = [];
  for (const { connection, text } of trips) {
    if (text.includes(begins)) {
      const begun: string[] = [];
      open.set(connection, begun);
      all.push(begun);
    }
    if (!/^(Q[^ -~]*rollback|X)/.test(text)) open.get(connection)?.push(text.replace(/[^ -~]+/g, ' ').slice(0, 60));
  }
  return all;
}

function longest(rounds: readonly (readonly string[])[]): number {
  return Math.max(...rounds.map(({ length }) => length));
}

test('a small round over 20 tables takes three round trips at most to its source, and three to its target', { timeout: 120_000 }, async () => {
  await buildOnce();
  const [source, target] = [await freshDatabase('source'), await freshDatabase('target')];
  await source.script(TABLES.map((name) => `create table ${name} (id integer primary key, v integer); insert into ${name} values (1, 0);`).join('\n'));
  await target.script(TABLES.map((name) => `create table ${name} (id integer primary key, v integer);`).join('\n'));
  const [near, far] = [await behindProxy(source.name), await behindProxy(target.name)];
  const project = await installation({
    databases: { source, target },
    syncs: { s: { mode: 'one-way', source: 'source', targets: ['target'], tables: ['public.*'] } },
  });
  expect((await project.apply()).diagnostics).toEqual([]);
  const running = startSarrio(['run', '--generated', project.dir], { env: { SOURCE_URL: near.whole, TARGET_URL: far.whole } });
  const arrived = (v: number) => async (): Promise<boolean> => {
    const sums = await target.query<{ n: number }>(
      `select sum(v)::integer as n from (${TABLES.map((name) => `select v from ${name}`).join(' union all ')}) as a`,
    );
    return sums[0]?.n === v * TABLES.length;
  };
  const change = (v: number): Promise<void> => source.script(TABLES.map((name) => `update ${name} set v = ${v} where id = 1;`).join('\n'));
  await waitUntil('the tables are copied', async () => (await target.query('select from t0')).length === 1, { timeoutMs: 60_000 });
  await change(1);
  await waitUntil('the first changes are there', arrived(1), { timeoutMs: 60_000 });
  const before = { near: near.trips().length, far: far.trips().length };
  for (let round = 2; round < 2 + ROUNDS; round += 1) {
    await change(round);
    await waitUntil('the changes are there', arrived(round));
  }
  await running.stop();
  const reading = transactions(near.trips().slice(before.near), 'repeatable read, read only').filter((texts) =>
    texts.some((text) => text.includes('sarrio_rows')),
  );
  const writing = transactions(far.trips().slice(before.far), 'begin read write');
  expect(reading.length).toBeGreaterThanOrEqual(ROUNDS);
  expect(writing.length).toBeGreaterThanOrEqual(ROUNDS);
  expect(longest(reading), JSON.stringify(reading)).toBeLessThanOrEqual(TRIPS);
  expect(longest(writing), JSON.stringify(writing)).toBeLessThanOrEqual(TRIPS);
});
