import fc from 'fast-check';
import { expect, test } from 'vitest';
import { clashLosers, type Clashes } from '../../src/conflict/unique.ts';
import type { NamedUniqueRule } from '../../src/plan/unique-rule.ts';

const DATABASES = ['east', 'west', 'north'];
const RULES: readonly NamedUniqueRule[] = [
  { strategy: 'keep-earliest' },
  { strategy: 'keep-latest' },
  { strategy: 'prefer', databases: ['north', 'west'] },
  { strategy: 'park' },
];

const clashing = fc
  .array(fc.record({ member: fc.nat(2), at: fc.option(fc.bigInt(0n, 5n)) }), { minLength: 2, maxLength: 7 })
  .map((rows) => rows.map((row, index) => ({ ...row, id: String(index) })))
  .chain((rows) => {
    const pair = fc.tuple(fc.nat(rows.length - 1), fc.nat(rows.length - 1)).filter(([a, b]) => a !== b);
    return fc.array(pair, { minLength: 1, maxLength: 8 }).map((pairs): Clashes => {
      return { rows, clashes: pairs.map(([a, b]) => [String(a), String(b)] as const), databases: DATABASES };
    });
  });

test.each(RULES)('$strategy: whatever the order, the same rows go; of those that stay none clash; none goes in vain', (rule) => {
  fc.assert(
    fc.property(clashing, fc.infiniteStream(fc.nat()), (given, numbers) => {
      const lost = clashLosers(given, rule);
      const shuffled = <T>(list: readonly T[]): readonly T[] =>
        [...list]
          .map((each) => ({ each, rank: Number(numbers.next().value) }))
          .sort((a, b) => a.rank - b.rank)
          .map(({ each }) => each);
      const turned = shuffled(given.clashes).map(([a, b]) => [b, a] as const);
      expect([...clashLosers({ ...given, rows: shuffled(given.rows), clashes: turned }, rule)].sort()).toEqual([...lost].sort());
      expect(given.clashes.filter(([a, b]) => !lost.has(a) && !lost.has(b))).toEqual([]);
      const needless = [...lost].filter((id) => !given.clashes.some(([a, b]) => (a === id && !lost.has(b)) || (b === id && !lost.has(a))));
      expect(rule.strategy === 'park' || needless.length === 0).toBe(true);
      const left = given.clashes.filter(([a, b]) => !lost.has(a) && !lost.has(b));
      expect([...clashLosers({ ...given, clashes: left }, rule)]).toEqual([]);
    }),
  );
});

test.each([
  ['keep-earliest', ['late', 'early'], 'late'],
  ['keep-latest', ['late', 'early'], 'early'],
  ['prefer', ['early', 'late'], 'early'],
] as const)('%s of %j lets %s go', (strategy, [one, other], loser) => {
  const rule: NamedUniqueRule = strategy === 'prefer' ? { strategy, databases: ['west'] } : { strategy };
  const rows = [
    { id: 'early', member: 0, at: 1n },
    { id: 'late', member: 1, at: 2n },
  ];
  expect([...clashLosers({ rows, clashes: [[one, other]], databases: DATABASES }, rule)]).toEqual([loser]);
});

test('a row that everybody has seen is older than one that was just made', () => {
  const rows = [
    { id: 'new', member: 0, at: 1n },
    { id: 'old', member: 1, at: null },
  ];
  expect([...clashLosers({ rows, clashes: [['new', 'old']], databases: DATABASES }, { strategy: 'keep-earliest' })]).toEqual(['new']);
});
