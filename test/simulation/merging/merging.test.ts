import { expect, test, vi } from 'vitest';
import type { Member } from '../../../src/runner/8-round/masters/member.ts';
import { randomFrom } from '../random.ts';
import { faultsAfterRecovery, firstMergingWorld, merged, type MergingVariant, type MergingWorld, wrote } from './merging-world.ts';

/**
 * Rules that merge, in rounds of the production code over members in memory: whatever is written where, whoever takes part in a round,
 * whichever of its commits are lost, and whether the table sits it out, in the end every change of the counter is in the sum once, and no column goes back to what it was.
 * SARRIO_SEED=n repeats the random run of that seed, SARRIO_FROM=n begins with another one than the first.
 */

/** Nothing here waits for anybody: it takes the processor's time, which others may want as well. */
vi.setConfig({ testTimeout: 600_000 });

const LAST: MergingVariant = { otherwise: { strategy: 'last-update-wins' } };

type Budget = { readonly writes: number; readonly rounds: number };

/** The first fault on any way through so many writes and rounds, in any order; null when there is none. */
async function explore(world: MergingWorld, budget: Budget, variant: MergingVariant, count: { worlds: number }): Promise<string | null> {
  count.worlds += 1;
  const faults = await faultsAfterRecovery(world, variant);
  if (faults.length > 0) return faults.join('; ');
  const members = world.sides.map((_, index) => index);
  if (budget.writes > 0) {
    // The first one is at the first member: which that is makes no difference.
    const places = world.time === 1n ? [0] : members;
    for (const member of places) {
      for (const column of ['stock', 'a'] as const) {
        const found = await explore(wrote(world, member, column), { ...budget, writes: budget.writes - 1 }, variant, count);
        if (found !== null) return `${column} at d${member}, ${found}`;
      }
    }
  }
  if (budget.rounds === 0 || world.time === 1n) return null;
  for (const present of subsets(members).filter(({ length }) => length >= 2)) {
    for (const survivors of subsets(present).filter(({ length }) => length > 0)) {
      const after = await merged(world, { present, survivors }, variant);
      const found = await explore(after, { ...budget, rounds: budget.rounds - 1 }, variant, count);
      if (found !== null) return `round of ${present} committed at ${survivors}, ${found}`;
    }
  }
  return null;
}

function subsets([first, ...rest]: readonly number[]): readonly (readonly number[])[] {
  if (first === undefined) return [[]];
  const without = subsets(rest);
  return [...without, ...without.map((set) => [first, ...set])];
}

test.each([
  { members: 2, writes: 3, rounds: 2 },
  { members: 3, writes: 2, rounds: 2 },
])('$members members, $writes writes, $rounds rounds with lost commits: every change once', async ({ members, ...budget }) => {
  const count = { worlds: 0 };
  expect(await explore(firstMergingWorld(members), budget, LAST, count)).toBeNull();
  expect(count.worlds).toBeGreaterThan(1_000);
});

test('a value that a decision has chosen does not meet what was written in its place as if it were a change of the loser', async () => {
  let world = wrote(firstMergingWorld(3), 2, 'a');
  world = await merged(world, { present: [1, 2], survivors: [1, 2] }, LAST);
  world = wrote(wrote(wrote(world, 0, 'a'), 1, 'a'), 2, 'stock');
  world = await merged(world, { present: [0, 2], survivors: [0, 2] }, LAST);
  expect(world.sides[0]?.values[2]).toBe('a1');
  world = wrote(world, 0, 'stock');
  expect(await faultsAfterRecovery(await merged(world, { present: [0, 1], survivors: [0, 1] }, LAST), LAST)).toEqual([]);
});

test('two to five members at random', async () => {
  const first = Number(process.env['SARRIO_SEED'] ?? process.env['SARRIO_FROM'] ?? 1);
  const runs = process.env['SARRIO_SEED'] === undefined ? 150 : 1;
  for (let seed = first; seed < first + runs; seed += 1) expect(await atRandom(seed, LAST), `SARRIO_SEED=${seed}`).toEqual([]);
});

async function atRandom(seed: number, variant: MergingVariant): Promise<readonly string[]> {
  const random = randomFrom(seed);
  const members = 2 + random.below(4);
  let world = firstMergingWorld(members);
  const everybody = world.sides.map((_, index) => index);
  for (let step = 0; step < 30; step += 1) {
    if (random.chance(0.6)) world = wrote(world, random.below(members), random.pick(['stock', 'stock', 'a', 'b'] as const));
    const present = random.some(everybody, 0.7);
    if (present.length < 2 || random.chance(0.5)) continue;
    world = await merged(world, { present, survivors: random.some(present, 0.7), isStopped: random.chance(0.2) }, variant);
  }
  return faultsAfterRecovery(world, variant);
}

/** Broken rules, each of which the explorations or the random runs must find. */
const MUTANTS: readonly { readonly name: string; readonly members: number; readonly wrap: (member: Member) => Member; readonly finds: RegExp }[] = [
  {
    name: 'what a round wrote counts as a change of its member',
    members: 2,
    wrap: (member) => ({
      ...member,
      settle: (table, rows) =>
        member.settle(
          table,
          rows.map((row) => ({ ...row, carried: null })),
        ),
    }),
    finds: /the stock is/,
  },
  {
    name: 'a decision does not tell those that are away what it is made of',
    members: 3,
    wrap: (member) => ({
      ...member,
      settle: (table, rows) =>
        member.settle(
          table,
          rows.map((row) => ({ ...row, carried: [] })),
        ),
    }),
    finds: /the stock is|chosen over|lost/,
  },
  {
    name: 'versions bring no changes',
    members: 2,
    wrap: (member) => ({
      ...member,
      meet: async function* (table, others) {
        for await (const keys of member.meet(table, others)) {
          yield keys.map((key) => ({ ...key, versions: key.versions.map(({ changes: _, ...version }) => version) }));
        }
      },
    }),
    finds: /the stock is/,
  },
];

test.each(MUTANTS)('found: $name', async ({ members, wrap, finds }) => {
  const variant = { ...LAST, wrap };
  const found = await explore(firstMergingWorld(members), { writes: 3, rounds: 2 }, variant, { worlds: 0 });
  expect(found).toMatch(finds);
});

test('a row that a ruling has put in place of another is judged as a whole by who was away', async () => {
  const everybody = [0, 1, 2];
  for (const kept of [0, 1]) {
    const sold = wrote(wrote(firstMergingWorld(3), 0, 'stock'), 1, 'stock');
    const ruled = await merged(wrote(sold, 2, 'stock'), { present: [0, 1], survivors: [0, 1], kept }, LAST);
    const [first, second] = ruled.sides;
    expect([first?.values, second?.values]).toEqual([sold.sides[kept]?.values, sold.sides[kept]?.values]);
    const met = await merged(ruled, { present: everybody, survivors: everybody }, LAST);
    const stocks = new Set(met.sides.map(({ values }) => values[1]));
    expect(stocks.size).toBe(1);
    expect([sold.sides[kept]?.values[1], ruled.sides[2]?.values[1]]).toContain([...stocks][0]);
  }
});
