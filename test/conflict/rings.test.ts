import { expect, test } from 'vitest';
import { type Applied, marksOfTable, united } from '../../src/conflict/bookkeeping.ts';
import { settleInRing } from '../../src/conflict/settle.ts';
import type { Version } from '../../src/conflict/version.ts';
import { formatPosition, parsePosition } from '../../src/plan/position.ts';

const at = (snapshot: string) => parsePosition(`1.1.1/${snapshot}`);

function applied(watermarks: Readonly<Record<number, string>>, held: Readonly<Record<number, Readonly<Record<number, string>>>> = {}): Applied {
  const marks = (of: Readonly<Record<number, string>>) => new Map(Object.entries(of).map(([origin, text]) => [Number(origin), at(text)]));
  return { watermarks: marks(watermarks), held: new Map(Object.entries(held).map(([table, of]) => [Number(table), marks(of)])) };
}

const text = (marks: ReadonlyMap<number, ReturnType<typeof at>>): readonly string[] =>
  [...marks].map(([origin, position]) => `${origin} ${formatPosition(position).replace(/.*\//, '')}`);

test('what several syncs have noted counts together, transaction by transaction', () => {
  const all = united([applied({ 0: '5:10:5,7', 2: '8:8:' }), applied({ 0: '7:9:7', 1: '4:4:' })]);
  expect(text(all.watermarks)).toEqual(['0 7:10:7', '1 4:4:', '2 8:8:']);
  expect(all.held.size).toBe(0);
});

test('a table stands where all that was noted of it leads to, and apart only if that is not where the watermarks are', () => {
  const stopped = applied({ 0: '20:20:' }, { 3: { 0: '10:10:' } });
  const behind = united([stopped, applied({ 0: '15:15:' })]);
  expect(text(behind.watermarks)).toEqual(['0 20:20:']);
  expect(text(marksOfTable(behind, 3))).toEqual(['0 15:15:']);
  expect(text(marksOfTable(behind, 4))).toEqual(['0 20:20:']);
  expect(united([stopped, applied({ 0: '25:25:' })]).held.size).toBe(0);
});

test.each([
  ['last-update-wins', 'late'],
  ['first-update-wins', 'early'],
] as const)('in a ring %s chooses the same version whoever holds it, of equal times by the row', (strategy, expected) => {
  const version = (member: number, image: string, time: bigint): Version => ({
    member,
    image,
    at: time,
    pendingAt: 7 & ~(1 << member),
    op: 'update',
    names: null,
  });
  const images = [
    ['early', 1n],
    ['late', 9n],
    ['later in the alphabet', 5n],
  ] as const;
  const chosen = (list: readonly Version[]): string | undefined => {
    const { decision } = settleInRing({ key: { key: ['1'], versions: list }, candidates: list, isConflict: true }, { strategy });
    return list.find(({ member }) => decision.kind === 'take' && member === decision.member)?.image;
  };
  for (const turn of [0, 1, 2]) expect(chosen(images.map(([image, time], place) => version((place + turn) % 3, image, time)))).toBe(expected);
  for (const turn of [0, 1]) expect(chosen(['a', 'b'].map((image, place) => version((place + turn) % 2, image, 1n)))).toBe('b');
});
