import { beforeEach, expect, test } from 'vitest';
import { masterRound, type MasterRoundResult } from '../../src/runner/8-round/masters/master-round.ts';
import type { KnownMarks } from '../../src/runner/8-round/masters/known-marks.ts';
import type { Member } from '../../src/runner/8-round/masters/member.ts';
import { firstImage, rowAt, write } from './image.ts';
import { ONE_CLOCK } from './round.ts';
import { makeServer, type Server, ServerError } from './server.ts';
import { type Peers, simulatedMember } from './simulated-member.ts';
import type { Ruling } from '../../src/runner/8-round/masters/ruling.ts';

/** What the driver does when calls fail and answers do not come. */

type Change = (member: Member) => Partial<Member>;

type Strategy = 'last-update-wins' | 'skip' | 'stop';

const state: {
  rulings: readonly Ruling[];
  stopped: ReadonlySet<number>;
  strategy: Strategy;
  servers: readonly Server[];
  known: KnownMarks;
  peers: Peers;
  ids: number;
} = {
  rulings: [],
  stopped: new Set(),
  strategy: 'last-update-wins',
  servers: [],
  known: new Map(),
  peers: new Map(),
  ids: 0,
};

beforeEach(() => {
  const image = firstImage(new Map([['0/a', 'v0']]));
  state.servers = [0, 1, 2].map((database) => makeServer(database, { image, disk: image }));
  state.known = new Map([0, 1, 2].map((index) => [index, { watermarks: new Map(), held: new Map(), copiedXid: 0n, noted: null }]));
  state.ids = 0;
  state.strategy = 'last-update-wins';
  state.stopped = new Set();
  state.rulings = [];
  changeRow(0, 'v1');
});

function changeRow(database: number, text: string): void {
  const server = serverOf(database);
  server.image = write(server.image, [{ key: '0/a', text, version: database + 1, at: BigInt(database) }]);
}

function serverOf(database: number): Server {
  const server = state.servers[database];
  if (server === undefined) throw new Error(`no database ${database}`);
  return server;
}

/** @param changes what is other than usual, by index */
function round(changes: Readonly<Record<number, Change>> = {}, beforeHold: () => Promise<unknown> = async () => undefined): Promise<MasterRoundResult> {
  state.peers = new Map();
  const members = state.servers.map((server, index) => {
    const member = simulatedMember({ server, sync: 's', index, peers: state.peers });
    return { ...member, ...changes[index]?.(member) };
  });
  const rules = [{ strategy: state.strategy }];
  const failpoint = async (name: string): Promise<void> => void (name === 'masters.before-hold' && (await beforeHold()));
  const newId = (): string => `c${state.ids++}`;
  return masterRound({
    members,
    databases: ['d0', 'd1', 'd2'],
    rules,
    keys: [['id']],
    known: state.known,
    stopped: state.stopped,
    lock: [],
    keep: [],
    ...ONE_CLOCK,
    rulings: { all: () => state.rulings, drop: (ruling) => void (state.rulings = state.rulings.filter((each) => each !== ruling)) },
    newId,
    failpoint,
  });
}

const texts = (): readonly string[] => state.servers.map(({ image }) => rowAt(image, '0/a').text);

test('a round is nothing again once it has brought everything', async () => {
  expect(await round()).toMatchObject({ kind: 'applied', conflicts: 0 });
  expect(texts()).toEqual(['v1', 'v1', 'v1']);
  expect(await round()).toEqual({ kind: 'nothing' });
});

test.each(['look', 'hold', 'deliver', 'apply', 'durable'] as const)('a %s that fails leaves no transaction open and nothing written', async (name) => {
  const lost = async (): Promise<never> => {
    throw new ServerError('57P01', `${name} failed`);
  };
  changeRow(1, 'v2');
  await expect(round({ 1: () => ({ [name]: lost }) })).rejects.toThrow(`${name} failed`);
  expect([...state.peers.values()].every(({ isOver }) => isOver)).toBe(true);
  expect(texts()).toEqual(['v1', 'v2', 'v0']);
  expect(await round()).toMatchObject({ kind: 'applied', conflicts: 1 });
  expect(texts()).toEqual(['v2', 'v2', 'v2']);
});

test('a member that cannot even roll back hides no error, and the others roll back', async () => {
  const fail = async (): Promise<never> => {
    throw new ServerError('57P01', 'gone');
  };
  await expect(round({ 1: () => ({ apply: async () => Promise.reject(new ServerError('40001', 'the row was changed')), rollback: fail }) })).rejects.toThrow(
    'the row was changed',
  );
  expect([0, 2].every((index) => state.peers.get(index)?.isOver)).toBe(true);
});

test('what was set aside in vain is waited for before anything is rolled back', async () => {
  changeRow(1, 'v2');
  const order: string[] = [];
  const slow: Change = (member) => ({
    settle: async (table, rows) => {
      for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
      await member.settle(table, rows);
      order.push('set aside');
    },
    rollback: async () => {
      order.push('rolled back');
      await member.rollback();
    },
  });
  await expect(round({ 0: () => ({ settle: async () => Promise.reject(new ServerError('57P01', 'gone')) }), 2: slow })).rejects.toThrow('gone');
  expect(order).toEqual(['set aside', 'rolled back']);
});

test('a commit that was made and not answered is found out by the next round, which then has nothing to do', async () => {
  const silent: Change = (member) => ({
    commit: async () => {
      await member.commit();
      throw new ServerError('08006', 'no answer');
    },
  });
  expect(await round({ 2: silent })).toMatchObject({ kind: 'applied', failed: new Map([[2, new ServerError('08006', 'no answer')]]) });
  expect(texts()).toEqual(['v1', 'v1', 'v1']);
  expect(await round()).toEqual({ kind: 'again' });
  expect(await round()).toEqual({ kind: 'nothing' });
});

test('a commit that was answered and lost in a crash is made again', async () => {
  await round();
  const server = serverOf(2);
  server.image = server.disk;
  expect(texts()).toEqual(['v1', 'v1', 'v0']);
  expect(await round()).toEqual({ kind: 'again' });
  expect(await round()).toMatchObject({ kind: 'applied', conflicts: 0 });
  expect(texts()).toEqual(['v1', 'v1', 'v1']);
});

test('two runners: the one whose watermarks were moved meanwhile gives way', async () => {
  await expect(round({}, () => round())).rejects.toThrow('the watermarks were moved');
  expect(texts()).toEqual(['v1', 'v1', 'v1']);
});

test('after a change of timeline everything that is kept is pending again, and what is the same stays as it is', async () => {
  await round();
  await round();
  serverOf(0).timeline = 2;
  changeRow(1, 'v2');
  const results = [await round(), await round(), await round()].map(({ kind }) => kind);
  expect(results.slice(-1)).toEqual(['nothing']);
  expect(texts()).toEqual(['v2', 'v2', 'v2']);
});

test('a conflict that is skipped is recorded everywhere, changes no row, and is not met again', async () => {
  state.strategy = 'skip';
  changeRow(1, 'v2');
  expect(await round()).toMatchObject({ kind: 'applied', conflicts: 1 });
  expect(await round()).toEqual({ kind: 'nothing' });
  expect(texts()).toEqual(['v1', 'v2', 'v0']);
  expect(state.servers.map(({ image }) => image.records)).toEqual([['c0'], ['c0'], ['c0']]);
});

test('a conflict at which the table is to stop leaves everything as it was; then watermarks go on, what the table has applied does not', async () => {
  state.strategy = 'stop';
  changeRow(1, 'v2');
  const before = state.servers.map(({ image }) => image.entries);
  await expect(round()).rejects.toMatchObject({ stop: { table: 0, code: 'SAR620', key: { id: '0/a' } } });
  expect(texts()).toEqual(['v1', 'v2', 'v0']);
  expect(state.servers.map(({ image }) => image.entries)).toEqual(before);
  state.stopped = new Set([0]);
  expect(await round()).toMatchObject({ kind: 'applied', tables: 0, waiting: new Set([0]) });
  expect(await round()).toEqual({ kind: 'nothing' });
  expect(texts()).toEqual(['v1', 'v2', 'v0']);
  state.stopped = new Set();
  state.strategy = 'last-update-wins';
  expect(await round()).toMatchObject({ kind: 'applied', conflicts: 1 });
  expect(texts()).toEqual(['v2', 'v2', 'v2']);
  expect(state.servers.map(({ image }) => image.held.get('s')?.size)).toEqual([0, 0, 0]);
});

test.each([
  [{ kind: 'keep', member: 2 }, ['v0', 'v0', 'v0']],
  [{ kind: 'park' }, ['', '', '']],
] as const)('what was ruled for a row, %j, counts at every member, once, and is recorded', async (decision, expected) => {
  const error = { code: '23514', message: 'no', detail: null, constraint: null, table: null };
  state.rulings = [{ table: 0, key: ['0/a'], member: 1, error, shown: [], decision }];
  expect(await round()).toMatchObject({ kind: 'applied', conflicts: 1 });
  expect(texts()).toEqual(expected);
  expect(state.servers.map(({ image }) => image.records)).toEqual([['c0'], ['c0'], ['c0']]);
  state.rulings = [];
  expect(await round()).toEqual({ kind: 'nothing' });
});
