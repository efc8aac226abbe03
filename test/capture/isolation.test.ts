import type { Client } from 'pg';
import { expect, test } from 'vitest';
import { differingRows } from '../support/compare.ts';
import { catchUp, follow } from '../support/follow.ts';
import { replicated } from '../support/runner.ts';

/** Two sessions that take turns; the first figure says whose turn it is. */
const SCENARIOS: readonly (readonly [what: string, level: string, turns: readonly string[], outcome: string])[] = [
  ['inserts side by side', 'serializable', ['1 insert into T values (1001)', '2 insert into T values (1002)', '1 commit', '2 commit'], 'both commit'],
  [
    'updates of different rows side by side',
    'serializable',
    [
      '1 update T set v = 1 where id = 1',
      '2 update T set v = 1 where id = 900',
      '1 update T set v = 2 where id = 2',
      '2 delete from T where id = 901',
      '2 commit',
      '1 commit',
    ],
    'both commit',
  ],
  [
    'many rows each, in one statement',
    'serializable',
    ['1 insert into T select g from generate_series(2001, 2200) g', '2 insert into T select g from generate_series(3001, 3200) g', '2 commit', '1 commit'],
    'both commit',
  ],
  [
    'a reader of another table',
    'serializable',
    ['1 select count(*) from other', '2 update T set v = 3 where id = 900', '1 update T set v = 3 where id = 1', '2 commit', '1 commit'],
    'both commit',
  ],
  [
    'write skew',
    'serializable',
    ['1 select sum(v) from T', '2 select sum(v) from T', '1 update T set v = 9 where id = 1', '2 update T set v = 9 where id = 900', '1 commit', '2 commit'],
    '2: 40001',
  ],
  [
    'a row that another changed since',
    'repeatable read',
    ['1 select 1', '2 update T set v = 4 where id = 1', '2 commit', '1 update T set v = 5 where id = 1', '1 commit'],
    '1: 40001',
  ],
  [
    'rows that nobody else changed, after others were captured',
    'repeatable read',
    ['1 select count(*) from T', '2 insert into T values (4001)', '2 commit', '1 insert into T values (4002)', '1 update T set v = 6 where id = 2', '1 commit'],
    'both commit',
  ],
  [
    'TRUNCATE against an older snapshot',
    'repeatable read',
    ['1 select 1', '2 truncate T', '2 commit', '1 insert into T values (1), (900)', '1 commit'],
    'both commit',
  ],
];

test('serializable and repeatable-read writers fail exactly when they would without capture', async () => {
  const table = (name: string): string =>
    `create table ${name} (id integer primary key, v integer); insert into ${name} select g, 0 from generate_series(1, 1000) g;`;
  const { source, target, project } = await replicated(`${table('t')} ${table('free')} create table other (id integer);`, {
    tables: ['public.t'],
    targetSchema: table('t'),
    existingRows: 'replace',
  });
  const following = follow(project);
  const clients = [await source.connect(), await source.connect()] as const;
  for (const [what, level, turns, outcome] of SCENARIOS) {
    expect(
      await play(
        clients,
        level,
        turns.map((turn) => turn.replaceAll('T', 't')),
      ),
      what,
    ).toBe(outcome);
    expect(
      await play(
        clients,
        level,
        turns.map((turn) => turn.replaceAll('T', 'free')),
      ),
      `${what}, not captured`,
    ).toBe(outcome);
  }
  for (const client of clients) await client.end();
  await following.stop();
  await catchUp(project);
  expect(await differingRows(source, target, 'public.t')).toEqual([]);
});

async function play(clients: readonly [Client, Client], level: string, turns: readonly string[]): Promise<string> {
  const failed: string[] = [];
  for (const client of clients) await client.query(`begin isolation level ${level}`);
  for (const turn of turns) {
    const client = clients[turn.startsWith('1') ? 0 : 1];
    try {
      await client.query(turn.slice(2));
    } catch (error) {
      failed.push(`${turn[0]}: ${(error as { code?: string }).code}`);
      await client.query('rollback');
    }
  }
  for (const client of clients) await client.query('rollback');
  return failed[0] ?? 'both commit';
}
