import type { Position } from '../../src/plan/position.ts';
import type { Member, SettledRow } from '../../src/runner/8-round/masters/member.ts';
import type { Variant, Wrap } from './round.ts';
import type { Start } from './explorations.ts';
import type { Budget } from './steps.ts';

/** The protocol with one thing wrong, and how far one has to look to see it. */
export type Mutant = {
  readonly name: string;
  readonly variant: Variant;
  readonly start: Start;
  readonly budget: Partial<Budget>;
  readonly canMerge?: boolean;
  readonly canStop?: boolean;
  readonly finds: RegExp;
};

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'decisions are not recorded as changes',
    variant: { wrap: settling((row) => ({ ...row, isFresh: false })) },
    start: { members: 3 },
    budget: { writes: 2, rounds: 2 },
    finds: /made or chosen in its place/,
  },
  {
    name: 'only the winner of a decision records it as a change',
    variant: { wrap: settling((row, member) => ({ ...row, isFresh: row.isFresh && row.record?.decision === `take ${member.name}` })) },
    start: { members: 3 },
    budget: { writes: 3, rounds: 3 },
    finds: /made or chosen in its place/,
  },
  {
    name: 'rows are not relayed among three',
    variant: {
      wrap: both(
        settling((row) => ({ ...row, isFresh: row.isFresh && row.record !== null })),
        (member) => ({ ...member, deliver: (table, to) => member.deliver(table, to, false) }),
      ),
    },
    start: { members: 3 },
    budget: { writes: 3, rounds: 2 },
    finds: /lost|members differ/,
  },
  {
    name: 'watermarks are written before their rows',
    variant: { wrap: (member) => ({ ...member, apply: (_tables, moved) => member.apply([], moved) }) },
    start: { members: 2 },
    budget: { writes: 1, rounds: 1 },
    finds: /members differ/,
  },
  {
    name: 'what a stopped table has applied is not written down',
    variant: { wrap: (member) => ({ ...member, apply: (tables, moved) => member.apply(tables, { ...moved, moves: [] }) }) },
    start: { members: 2 },
    budget: { writes: 1, rounds: 1 },
    canStop: true,
    finds: /has moved/,
  },
  {
    name: 'a table that was stopped goes on from the watermark',
    variant: {
      wrap: (member) => ({
        ...member,
        look: async (options) => ({ ...(await member.look({ ...options, tables: new Map() })), held: new Map() }),
      }),
    },
    start: { members: 2 },
    budget: { writes: 1, rounds: 1 },
    canStop: true,
    finds: /members differ|lost/,
  },
  {
    name: 'watermarks do not cover what the others write in the same round',
    variant: { wrap: marking((position) => ({ ...position, extra: [] })) },
    start: { members: 2 },
    budget: { writes: 2, rounds: 1 },
    finds: /not quiet|made or chosen in its place/,
  },
  {
    name: 'snapshots are compared by number',
    variant: { wrap: marking((position) => ({ ...position, xip: [], xmin: position.xmax })) },
    start: { members: 2 },
    budget: { writes: 2, rounds: 1, open: 1 },
    finds: /members differ/,
  },
  {
    name: 'commits before the others are on disk',
    variant: { wrap: (member) => ({ ...member, durable: async () => undefined }) },
    start: { members: 2 },
    budget: { writes: 2, rounds: 1, crashes: 1 },
    finds: /members differ|lost/,
  },
  {
    name: 'what others know of those that are away is not taken over with their rows',
    variant: { wrap: keepingAbsent },
    start: { members: 3 },
    budget: { writes: 2, rounds: 2 },
    finds: /made or chosen in its place/,
  },
  {
    name: 'relayed rows do not name the change that they carry',
    variant: { isRelayNamed: false },
    start: { members: 3 },
    budget: { writes: 2, rounds: 1 },
    finds: /made or chosen in its place/,
  },
  {
    name: 'every pending change counts as a conflict',
    variant: { wrap: (member) => ({ ...member, meet: (table, others) => everywhere(member, table, others) }) },
    start: { members: 3 },
    budget: { writes: 2, rounds: 2 },
    finds: /made or chosen in its place/,
  },
  {
    name: 'a database joins with rows, but without the changes that others have not seen',
    variant: {},
    start: { members: 2, databases: 3, copyLacks: 'changes' },
    budget: { writes: 2, rounds: 1, joins: 1 },
    finds: /lost/,
  },
  {
    name: 'a database joins with rows, but without how far their holder was with others',
    variant: {},
    start: { members: 2, databases: 3, copyLacks: 'watermarks' },
    budget: { writes: 2, rounds: 2, joins: 1 },
    finds: /made or chosen in its place/,
  },
];

function settling(change: (row: SettledRow, member: Member) => SettledRow): Wrap {
  return (member) => ({
    ...member,
    settle: (table, rows) =>
      member.settle(
        table,
        rows.map((row) => change(row, member)),
      ),
  });
}

function marking(change: (position: Position) => Position): Wrap {
  return (member) => ({
    ...member,
    apply: (tables, moved) =>
      member.apply(tables, { ...moved, watermarks: new Map([...moved.watermarks].map(([origin, position]) => [origin, change(position)])) }),
  });
}

function both(first: Wrap, second: Wrap): Wrap {
  return (member, peers) => second(first(member, peers), peers);
}

function keepingAbsent(...[member, peers]: Parameters<Wrap>): Member {
  const old = (origin: number): Position | undefined => peers.get(member.index)?.marks('0/a').get(origin);
  const kept = (origin: number, position: Position): Position | undefined => (peers.has(origin) ? position : old(origin));
  return {
    ...member,
    apply: (tables, moved) => {
      const marks = [...moved.watermarks].flatMap(([origin, position]) => {
        const mark = kept(origin, position);
        return mark === undefined ? [] : [[origin, mark] as const];
      });
      return member.apply(tables, { ...moved, watermarks: new Map(marks) });
    },
  };
}

async function* everywhere(member: Member, table: number, others: readonly Member[]): ReturnType<Member['meet']> {
  for await (const keys of member.meet(table, others)) {
    const all = [member, ...others].reduce((bits, { index }) => bits | (1 << index), 0);
    yield keys.map((key) => ({ ...key, versions: key.versions.map((version) => ({ ...version, pendingAt: all & ~(1 << version.member) })) }));
  }
}
