import { afterAll, describe, expect, test } from 'vitest';
import type { ConflictRule } from '../../../src/plan/conflict-rule.ts';
import { exploreRing, type RingBudget } from './explore-ring.ts';
import { share } from '../../support/share.ts';
import type { Ring } from './ring.ts';

/**
 * Every way that writes and rounds of the syncs of a ring can follow each other, to a depth; after each state rounds go on, in every order of
 * the syncs: they have to come to rest, with the same rows everywhere and every change in them or overruled by a recorded decision.
 */

const THREE = [
  [0, 1],
  [1, 2],
  [2, 0],
];
const FOUR = [
  [0, 1],
  [1, 2],
  [2, 3],
  [3, 0],
];
const PAIR = [
  [0, 1, 2],
  [1, 2],
];
const LAST: ConflictRule = { strategy: 'last-update-wins' };
const FIRST: ConflictRule = { strategy: 'first-update-wins' };

const visited: string[] = [];
afterAll(() => console.log(`states visited\n${visited.join('\n')}`));

type Shape = Pick<Ring, 'databases' | 'syncs' | 'rule' | 'slow' | 'canReturn'> & RingBudget;

const SHAPES: Readonly<Record<string, Shape>> = {
  'three, a commit lost': { databases: 3, syncs: THREE, rule: LAST, writes: 2, rounds: 2, losses: 1 },
  'three, rows that become what they were': { databases: 3, syncs: THREE, rule: LAST, canReturn: true, writes: 3, rounds: 0 },
  'three, a clock that is late': { databases: 3, syncs: THREE, rule: LAST, slow: [0, 2, 0], writes: 2, rounds: 2 },
  'three, first update wins': { databases: 3, syncs: THREE, rule: FIRST, writes: 2, rounds: 2, losses: 1 },
  four: { databases: 4, syncs: FOUR, rule: LAST, canReturn: true, writes: 2, rounds: 1, losses: 1 },
  'four, a clock that is late': { databases: 4, syncs: FOUR, rule: LAST, slow: [0, 0, 2, 0], writes: 2, rounds: 1 },
  'four, first update wins': { databases: 4, syncs: FOUR, rule: FIRST, writes: 2, rounds: 1 },
  'three and two that share two': { databases: 3, syncs: PAIR, rule: LAST, writes: 2, rounds: 2, losses: 1 },
};

/** SARRIO_DEEP=1 goes further, which takes minutes. */
const MORE = process.env['SARRIO_DEEP'] === undefined ? 0 : 1;

test.each(share(Object.entries(SHAPES), 2))(
  '%s',
  async (name, { writes, rounds, losses = 0, ...ring }) => {
    const { states, violation } = await exploreRing({ name, accounts: 'one', ...ring }, { writes, rounds: rounds + MORE, losses });
    visited.push(`  ${name}: ${states} states`);
    expect(violation).toBeNull();
  },
  3_600_000,
);

describe('what need not come to rest', () => {
  test('syncs that keep no common account', async () => {
    const { violation } = await exploreRing(
      { name: 'each', accounts: 'each', databases: 3, syncs: THREE, rule: LAST, canReturn: true },
      { writes: 3, rounds: 1 },
    );
    expect(violation).toContain('for ever');
  });

  test('a rule whose outcome depends on where it is asked', async () => {
    const rule: ConflictRule = { strategy: 'prefer', databases: ['d3', 'd1', 'd0', 'd2'] };
    const { violation } = await exploreRing({ name: 'prefer', accounts: 'one', databases: 4, syncs: FOUR, rule }, { writes: 2, rounds: 1 });
    expect(violation).toContain('for ever');
  });
});
