import { expect, test } from 'vitest';
import { decidedApart, decidedTwice, type Ending, lostWrites, metAncestors, type Recorded, returnedDeletes, returnedLosers } from './accounts.ts';
import type { Traced } from './traced.sql.ts';

/** The soak's book-keeping finds what it is there to find. */
const ending = (row: string | null, more: Partial<Ending> = {}): Ending => ({
  rows: new Map<Traced, ReadonlyMap<number, string>>([['latest', row === null ? new Map<number, string>() : new Map([[1, row]])]]),
  gone: [],
  conflicts: [],
  ...more,
});

const told = (...tokens: readonly string[]) => ({ tokens: new Map<Traced, readonly string[]>([['latest', tokens]]), turns: [] });

const trail = (text: string | null) => (text === null ? null : { id: '1', trail: text });

/** Between east and west; null where the row is gone. */
function conflict(id: string, at: number, parts: { east: string | null; west: string | null; take: string }): Recorded {
  const versions = [
    { database: 'east', op: 'update', row: trail(parts.east) },
    { database: 'west', op: 'update', row: trail(parts.west) },
  ];
  return { id, member: 'east', relation: 'public.latest', key: '1', kind: 'update/update', decision: `take ${parts.take}`, versions, at: String(at) };
}

test('a write is accounted for in a row, where it was taken away, and where it was overruled, and nowhere else', () => {
  const overruled = conflict('c', 1, { east: 'a b', west: 'a c', take: 'west' });
  expect(lostWrites(told('a', 'b', 'c', 'd'), ending('a c', { conflicts: [overruled], gone: [{ table: 'latest', id: 2, trail: 'd' }] }))).toEqual([]);
  expect(lostWrites(told('a', 'b', 'c'), ending('a c'))).toEqual(['lost: b of latest']);
  expect(lostWrites(told('a'), ending(null, { gone: [{ table: 'ranked', id: 1, trail: 'a' }] }))).toEqual(['lost: a of latest']);
});

test('what is merged has to be in the row', () => {
  const merged = new Map<Traced, ReadonlyMap<number, string>>([['merged', new Map([[1, 'a']])]]);
  expect(lostWrites({ tokens: new Map([['merged', ['a', 'b']]]), turns: [] }, { rows: merged, gone: [], conflicts: [] })).toEqual(['lost: b of merged']);
});

test('a loser has returned unless a later decision took it', () => {
  const first = conflict('first', 1, { east: 'a b', west: 'a c', take: 'west' });
  expect(returnedLosers(ending('a c', { conflicts: [first] }))).toEqual([]);
  expect(returnedLosers(ending('a b', { conflicts: [first] }))).toEqual([
    expect.stringContaining('a loser returned: b in latest 1, overruled by first; ends as a b'),
  ]);
  const later = conflict('later', 2, { east: 'a b d', west: 'a c', take: 'east' });
  expect(returnedLosers(ending('a b d', { conflicts: [later, first] }))).toEqual([]);
});

test('a row that was taken away is back only where a decision about its deletion says so', () => {
  const gone = [{ table: 'latest', id: 1, trail: 'a b' }];
  expect(returnedDeletes(ending('a b c', { gone }))).toHaveLength(1);
  expect(returnedDeletes(ending('d', { gone }))).toEqual([]);
  expect(returnedDeletes(ending('a b c', { gone, conflicts: [conflict('c', 1, { east: null, west: 'a b c', take: 'west' })] }))).toEqual([]);
});

test('versions are decided once, and the same is told everywhere', () => {
  const one = conflict('one', 1, { east: 'a b', west: 'a c', take: 'west' });
  expect(decidedTwice(ending('a c', { conflicts: [one, { ...one, at: '2' }] }))).toEqual([]);
  expect(decidedTwice(ending('a c', { conflicts: [one, { ...one, id: 'two' }] }))).toHaveLength(1);
  expect(decidedTwice(ending('a c', { conflicts: [one, { ...one, decision: 'take east' }] }))).toHaveLength(1);
});

test('a row may meet several deletions, and each of them once', () => {
  const deletedAt = (id: string, at: string): Recorded => ({
    ...conflict(id, 1, { east: null, west: 'a c', take: 'west' }),
    versions: [
      { database: 'east', at, op: 'delete', row: null },
      { database: 'west', at: '5', op: 'update', row: trail('a c') },
    ],
  });
  expect(decidedTwice(ending('a c', { conflicts: [deletedAt('one', '1'), deletedAt('two', '2')] }))).toEqual([]);
  expect(decidedTwice(ending('a c', { conflicts: [deletedAt('one', '1'), deletedAt('two', '1')] }))).toHaveLength(1);
});

test('who has not heard of a decision may make another one; nobody has both in its record', () => {
  const one = conflict('one', 1, { east: 'a b', west: 'a c', take: 'west' });
  const other = { ...one, id: 'other', member: 'north' };
  const apart = ending('a c', { conflicts: [one, { ...one, member: 'west' }, other] });
  expect(decidedTwice(apart)).toEqual([]);
  expect(decidedApart(apart)).toBe(1);
  expect(decidedTwice(ending('a c', { conflicts: [one, other, { ...one, member: 'north' }] }))).toHaveLength(1);
});

test('a row that met what it had been made of is counted, and wrong where that won', () => {
  const right = conflict('right', 1, { east: 'a b', west: 'a b c', take: 'west' });
  const wrong = conflict('wrong', 2, { east: 'a b', west: 'a b c', take: 'east' });
  const strangers = conflict('strangers', 3, { east: 'a b', west: 'a bc', take: 'east' });
  expect(metAncestors(ending('a b c', { conflicts: [right, right, strangers] }))).toEqual({ met: 1, left: [] });
  expect(metAncestors(ending('a b', { conflicts: [wrong] })).left).toHaveLength(1);
});
