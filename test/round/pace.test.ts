import { expect, test } from 'vitest';
import { makePace } from '../../src/runner/8-round/pace.ts';

/** Rounds that find so many entries each, so many milliseconds apart; the pauses that follow them. */
function pauses(rounds: number, entries: number, everyMs: number): readonly number[] {
  const time = { now: 0 };
  const pace = makePace({ now: () => time.now, random: () => 0, sleep: async () => undefined });
  return Array.from({ length: rounds }, (_, index) => {
    time.now += everyMs;
    return pace.after(entries, index + 1);
  });
}

test('a row now and then is never waited for', () => {
  expect(pauses(1_000, 1, 5)).toEqual(Array(1_000).fill(0));
});

test('a burst is brought at once, however large', () => {
  expect(pauses(3, 1_000_000, 10)).toEqual([0, 0, 0]);
});

test('a steady stream of changes is let gather, the more of them the longer, up to a bound', () => {
  expect(pauses(20, 100, 10).at(-1)).toBe(120);
  expect(pauses(20, 1_000, 110).at(-1)).toBe(120);
  const [some, more] = [pauses(20, 10, 10).at(-1) ?? 0, pauses(20, 20, 10).at(-1) ?? 0];
  expect(some).toBeGreaterThan(0);
  expect(more).toBeGreaterThan(some);
});

test('after a calm the next burst is brought at once again', () => {
  const time = { now: 0 };
  const pace = makePace({ now: () => time.now, random: () => 0, sleep: async () => undefined });
  for (let inRow = 1; inRow <= 20; inRow += 1) {
    time.now += 10;
    pace.after(1_000, inRow);
  }
  time.now += 1_000;
  expect([1, 2, 3].map((inRow) => pace.after(1_000, inRow))).toEqual([0, 0, 0]);
});
