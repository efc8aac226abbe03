import { expect, test } from 'vitest';
import { masterRound } from '../../src/runner/8-round/masters/master-round.ts';
import type { KnownMarks } from '../../src/runner/8-round/masters/known-marks.ts';
import { firstImage, rowAt, write } from './image.ts';
import { ONE_CLOCK } from './round.ts';
import { makeServer, type Server, ServerError } from './server.ts';
import { type Peers, simulatedMember, textOf } from './simulated-member.ts';
import type { Ruling, RulingSource } from '../../src/runner/8-round/masters/ruling.ts';

/** What a handler changes, whichever of the members' commits are lost in the round that carries it out. */

const MEMBERS = [0, 1, 2] as const;
const ERROR = { code: '23505', message: 'no', detail: null, constraint: null, table: null };
const KEYS = ['0/a', '0/b', '1/c'] as const;

type World = { readonly servers: readonly Server[]; readonly known: KnownMarks; ids: number };

function world(): World {
  const image = firstImage(new Map(KEYS.map((key) => [key, 'v0'])));
  const servers = MEMBERS.map((database) => makeServer(database, { image, disk: image }));
  const first = servers[0];
  if (first === undefined) throw new Error('no servers');
  first.image = write(first.image, [{ key: '0/a', text: 'wanted', version: 1, at: 1n }]);
  return { servers, known: new Map(MEMBERS.map((index) => [index, { watermarks: new Map(), held: new Map(), copiedXid: 0n, noted: null }])), ids: 0 };
}

/** Row 0/a of member 0 is not taken by member 1: 0/b gives way, and another table says so. */
function ruling({ servers }: World): Ruling {
  const shown = KEYS.map((key) => ({
    table: Number(key[0]),
    key: [key],
    rows: servers.map(({ image }, member) => ({ member, row: textOf(key, rowAt(image, key)) })),
  }));
  const changes = [
    { change: 'update', table: 0, key: ['0/b'], values: [[1, 'gave way']] },
    { change: 'remove', table: 1, key: ['1/c'], values: [] },
  ] as const;
  return { table: 0, key: ['0/a'], member: 1, error: ERROR, shown, decision: { kind: 'change', changes } };
}

async function round(of: World, rulings: RulingSource, lost: readonly number[] = []): Promise<unknown> {
  const peers: Peers = new Map();
  const members = of.servers.map((server, index) => {
    const member = simulatedMember({ server, sync: 's', index, peers });
    const commit = async (): Promise<never> => {
      await member.rollback();
      throw new ServerError('57P01', 'lost');
    };
    return lost.includes(index) ? { ...member, commit } : member;
  });
  const rule = { strategy: 'last-update-wins' } as const;
  const more = { ...ONE_CLOCK, keys: [['id'], ['id']], rules: [rule, rule], stopped: new Set<number>(), lock: [], keep: [] };
  return masterRound({
    ...more,
    members,
    databases: ['d0', 'd1', 'd2'],
    known: of.known,
    rulings,
    newId: () => `c${of.ids++}`,
    failpoint: async () => undefined,
  });
}

const NONE: RulingSource = { all: () => [], drop: () => undefined };
const textsOf = ({ servers }: World): unknown => servers.map(({ image }) => KEYS.map((key) => rowAt(image, key).text));

const LOSSES = [[], [0], [1], [2], [0, 1], [0, 2], [1, 2]] as const;

test.each(LOSSES.map((lost) => [lost] as const))(
  'changes of %j lost: what the others committed comes everywhere, whole, once, and nothing echoes',
  async (lost) => {
    const here = world();
    const dropped: Ruling[] = [];
    expect(await round(here, { all: () => [ruling(here)], drop: (each) => void dropped.push(each) }, lost)).toMatchObject({ kind: 'applied' });
    expect(dropped).toEqual([]);
    // A runner that knows nothing of it goes on.
    here.known.clear();
    for (const index of MEMBERS) here.known.set(index, { watermarks: new Map(), held: new Map(), copiedXid: 0n, noted: null });
    for (let turn = 0; ((await round(here, NONE)) as { kind: string }).kind !== 'nothing'; turn += 1) if (turn === 5) throw new Error('it does not fall quiet');
    const all = ['wanted', 'gave way', ''];
    expect(textsOf(here)).toEqual([all, all, all]);
  },
);

test('what is not as the handler was shown it is not carried out, in no part, and asked about again', async () => {
  const here = world();
  const made = ruling(here);
  const north = here.servers[2];
  if (north === undefined) throw new Error('no server');
  north.image = write(north.image, [{ key: '1/c', text: 'mine', version: 2, at: 2n }]);
  const dropped: Ruling[] = [];
  await round(here, { all: () => [made], drop: (each) => void dropped.push(each) });
  expect(dropped).toEqual([made]);
  expect(textsOf(here)).toEqual(MEMBERS.map(() => ['wanted', 'v0', 'mine']));
});

test('a table that is stopped keeps the whole ruling from being carried out', async () => {
  const here = world();
  const dropped: Ruling[] = [];
  const stopped = new Set([1]);
  const rulings = { all: () => [ruling(here)], drop: (each: Ruling) => void dropped.push(each) };
  const peers: Peers = new Map();
  const members = here.servers.map((server, index) => simulatedMember({ server, sync: 's', index, peers }));
  const rule = { strategy: 'last-update-wins' } as const;
  const more = { ...ONE_CLOCK, keys: [['id'], ['id']], rules: [rule, rule], lock: [], keep: [], newId: () => 'c', failpoint: async () => undefined };
  await masterRound({ ...more, members, databases: ['d0', 'd1', 'd2'], known: here.known, stopped, rulings });
  expect(dropped).toHaveLength(1);
  expect(textsOf(here)).toEqual(MEMBERS.map(() => ['wanted', 'v0', 'v0']));
});
