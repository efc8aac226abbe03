import { allNames, type Knowledge } from '../../src/conflict/change-names.ts';
import type { Position } from '../../src/plan/position.ts';
import type { LookOptions, Member, MetKey, SettledRow, Span } from '../../src/runner/8-round/masters/member.ts';
import type { Variant, Wrap } from './round.ts';
import { keyOf, type Peers } from './simulated-member.ts';
import type { Start } from './explorations.ts';
import type { Budget } from './steps.ts';
import { SYNC } from './world.ts';

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
    name: 'a member judges by its watermarks what is new to it of a table that stands apart',
    variant: { wrap: (member) => ({ ...member, look: (options) => member.look(forgettingApart(options, member.index)) }) },
    start: { members: 3 },
    budget: { writes: 2, rounds: 3 },
    canStop: true,
    finds: /made or chosen in its place/,
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
    name: 'rows are delivered by the names of their changes and reported without',
    variant: {
      wrap: (member, peers) => ({ ...member, tellsKeys: () => false, meet: (table, others) => unseeingEach(peers, () => member.meet(table, others)) }),
    },
    start: { members: 3 },
    budget: { writes: 2, rounds: 1 },
    finds: /made or chosen in its place/,
  },
  {
    name: 'rows are reported by the names of their changes and delivered without',
    variant: { wrap: (member, peers) => ({ ...member, tellsKeys: () => false, deliver: (...given) => unseeing(peers, () => member.deliver(...given)) }) },
    start: { members: 3 },
    budget: { writes: 2, rounds: 1 },
    finds: /members differ|lost/,
  },
  {
    name: 'keys that came from two are taken for different ones',
    variant: { wrap: (member) => ({ ...member, deliver: async (...given) => ({ ...(await member.deliver(...given)), keys: [] }) }) },
    start: { members: 2 },
    budget: { writes: 2, rounds: 1 },
    finds: /members differ/,
  },
  {
    name: 'a named change is looked up whatever its origin is',
    variant: { wrap: (member) => ({ ...member, look: (options) => member.look(mapped(options, confused)) }) },
    start: { members: 3 },
    budget: { writes: 2, rounds: 3 },
    finds: /members differ|lost/,
  },
  {
    name: 'a decision is named by the changes that it decided, and is none of its own',
    variant: { wrap: namingDecisions },
    start: { members: 3 },
    budget: { writes: 2, rounds: 2 },
    finds: /members differ/,
  },
  {
    name: 'every pending change counts as a conflict',
    variant: { wrap: (member) => ({ ...member, tellsKeys: () => false, meet: (table, others) => everywhere(member, table, others) }) },
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
  const old = (origin: number): Position | undefined => peers.get(member.index)?.snapshot.watermarks.get(SYNC)?.get(origin);
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

/** Of all tables, those that stand apart among them. */
function mapped(options: LookOptions, change: (known: readonly Knowledge[]) => readonly Knowledge[]): LookOptions {
  const knownBy = (span: Span): Span['knownBy'] => new Map([...span.knownBy].map(([index, known]) => [index, change(known)]));
  const tables = new Map([...options.tables].map(([table, span]) => [table, { ...span, knownBy: knownBy(span) }]));
  return { ...options, knownBy: knownBy(options), tables };
}

function forgettingApart(options: LookOptions, member: number): LookOptions {
  const own = options.knownBy.get(member) ?? [];
  return { ...options, tables: new Map([...options.tables].map(([table, span]) => [table, { ...span, knownBy: new Map([...span.knownBy, [member, own]]) }])) };
}

function confused(known: readonly Knowledge[]): readonly Knowledge[] {
  return known.flatMap(({ origin }) => known.map((other) => ({ ...other, origin })));
}

/** As if nobody had seen anything that has a name. */
async function unseeing<T>(peers: Peers, work: () => Promise<T>): Promise<T> {
  const kept = new Map([...peers].map(([index, { options }]) => [index, options]));
  const blind = (known: readonly Knowledge[]): readonly Knowledge[] => known.map((each) => ({ ...each, since: 2n ** 64n }));
  for (const transaction of peers.values()) transaction.options = mapped(transaction.options, blind);
  const done = await work();
  for (const [index, options] of kept) Object.assign(peers.get(index) ?? {}, { options });
  return done;
}

async function* unseeingEach(peers: Peers, meet: () => ReturnType<Member['meet']>): AsyncGenerator<readonly MetKey[]> {
  const pages = await unseeing(peers, async () => {
    const all: (readonly MetKey[])[] = [];
    for await (const page of meet()) all.push(page);
    return all;
  });
  yield* pages;
}

/** Two decisions of one conflict, made by some of the members each, would then count as seen where the other one was made. */
function namingDecisions(...[member, peers]: Parameters<Wrap>): Member {
  const namesOf = namesIn.get(peers) ?? new Map<string, SettledRow['names']>();
  namesIn.set(peers, namesOf);
  return {
    ...member,
    async *meet(table, others) {
      for await (const keys of member.meet(table, others)) {
        for (const { key, versions } of keys) namesOf.set(key[0] ?? '', allNames(versions.map(({ names }) => names)));
        yield keys;
      }
    },
    settle: (table, rows) =>
      member.settle(
        table,
        rows.map((row) => ({ ...row, names: namesOf.get(keyOf(row.row)) ?? null })),
      ),
  };
}

const namesIn = new WeakMap<Peers, Map<string, SettledRow['names']>>();

async function* everywhere(member: Member, table: number, others: readonly Member[]): ReturnType<Member['meet']> {
  for await (const keys of member.meet(table, others)) {
    const all = [member, ...others].reduce((bits, { index }) => bits | (1 << index), 0);
    yield keys.map((key) => ({ ...key, versions: key.versions.map((version) => ({ ...version, pendingAt: all & ~(1 << version.member) })) }));
  }
}
