import { describe, expect, test } from 'vitest';
import { beyond, carryTo } from '../../src/runner/8-round/sequences/carry-to.ts';
import type { Counting } from '../../src/runner/8-round/sequences/look.ts';
import { percentUsed } from '../../src/runner/8-round/sequences/watch-sequences.ts';

type Said = {
  readonly last: bigint;
  readonly isCalled?: boolean;
  readonly by?: bigint;
  readonly least?: bigint;
  readonly most?: bigint;
  readonly cycles?: boolean;
};

function counting({ last, isCalled = true, by = 1n, least = 1n, most = 2n ** 63n - 1n, cycles = false }: Said): Counting {
  return { given: isCalled ? last : last - by, last, isCalled, increment: by, least, most, cycles };
}

const set = (value: bigint, isCalled = true) => ({ kind: 'set', value, isCalled });

describe('a target is brought ahead of the source', () => {
  const source = counting({ last: 5_000n });

  test('by the margin, once less than half of it is left, and never back', () => {
    expect(carryTo(source, counting({ last: 1n, isCalled: false }), 1_000n)).toEqual(set(6_000n));
    expect(carryTo(source, counting({ last: 5_499n }), 1_000n)).toEqual(set(6_000n));
    expect(carryTo(source, counting({ last: 5_500n }), 1_000n)).toEqual({ kind: 'enough' });
    expect(carryTo(source, counting({ last: 9_000n }), 1_000n)).toEqual({ kind: 'enough' });
  });

  test('in steps of the source, up or down', () => {
    expect(carryTo(counting({ last: 100n, by: 10n }), counting({ last: 1n }), 50n)).toEqual(set(600n));
    const down = { by: -1n, least: -30_000n, most: -1n };
    expect(carryTo(counting({ last: -5n, ...down }), counting({ last: -1n, ...down, isCalled: false }), 10n)).toEqual(set(-15n));
    expect(carryTo(counting({ last: -5n, ...down }), counting({ last: -400n, ...down }), 10n)).toEqual({ kind: 'enough' });
  });

  test('also when the source has given nothing yet', () => {
    const untouched = counting({ last: 1n, isCalled: false });
    expect(carryTo(untouched, untouched, 1_000n)).toEqual(set(1_000n));
    expect(carryTo(untouched, untouched, 0n)).toEqual({ kind: 'enough' });
  });

  test('exactly, without a margin', () => {
    expect(carryTo(source, counting({ last: 7n }), 0n)).toEqual(set(5_000n));
    expect(carryTo(source, counting({ last: 5_000n, isCalled: false }), 0n)).toEqual(set(5_000n));
    expect(carryTo(counting({ last: 40n, isCalled: false }), counting({ last: 7n }), 0n)).toEqual(set(40n, false));
    expect(carryTo(source, counting({ last: 5_000n }), 0n)).toEqual({ kind: 'enough' });
  });

  test('by less and less near the end, so that it does not come there first', () => {
    const most = 32_767n;
    expect(carryTo(counting({ last: 30_767n, most }), counting({ last: 1n, most }), 1_000n)).toEqual(set(30_787n));
    expect(carryTo(counting({ last: 32_760n, most }), counting({ last: 1n, most }), 1_000n)).toEqual(set(32_760n));
  });

  test('but not where that would mean nothing', () => {
    expect(carryTo(source, counting({ last: 1n, by: -1n }), 10n)).toMatchObject({ kind: 'cannot', reason: expect.stringContaining('opposite directions') });
    expect(carryTo(counting({ last: 5n, cycles: true }), source, 10n)).toMatchObject({
      kind: 'cannot',
      reason: expect.stringContaining("source's sequence begins"),
    });
    expect(carryTo(source, counting({ last: 5n, cycles: true }), 10n)).toMatchObject({ kind: 'cannot', reason: expect.stringContaining('it begins again') });
    expect(carryTo(source, counting({ last: 5n, most: 5_999n }), 1_000n)).toMatchObject({ kind: 'cannot', reason: expect.stringContaining('it ends at 5999') });
  });

  test('and beyond rows that were given numbers by hand', () => {
    expect(beyond(counting({ last: 5n }), { highest: 7n, lowest: 1n })).toEqual(set(7n));
    expect(beyond(counting({ last: 7n, isCalled: false }), { highest: 7n, lowest: 1n })).toEqual(set(7n));
    expect(beyond(counting({ last: 8n }), { highest: 7n, lowest: 1n })).toEqual({ kind: 'enough' });
    expect(beyond(counting({ last: -5n, by: -1n, least: -100n, most: -1n }), { highest: -1n, lowest: -9n })).toEqual(set(-9n));
    expect(beyond(counting({ last: 5n, most: 6n }), { highest: 7n, lowest: 1n })).toMatchObject({ kind: 'cannot' });
    expect(beyond(counting({ last: 5n }), { highest: null, lowest: null })).toEqual({ kind: 'enough' });
  });
});

test('how much of a range is used', () => {
  expect(percentUsed(counting({ last: 1n, isCalled: false, most: 100n }))).toBe(0);
  expect(percentUsed(counting({ last: 89n, most: 100n }))).toBe(89);
  expect(percentUsed(counting({ last: 90n, most: 100n }))).toBe(90);
  expect(percentUsed(counting({ last: 100n, most: 100n }))).toBe(100);
  expect(percentUsed(counting({ last: -27_001n, by: -1n, least: -30_000n, most: -1n }))).toBe(90);
  expect(percentUsed(counting({ last: 2n ** 62n }))).toBe(50);
});
