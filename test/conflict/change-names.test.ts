import { describe, expect, test } from 'vitest';
import { allNames, hasSeen, knowledgeOf, MAX_NAMES, nameOf, namesNewTo } from '../../src/conflict/change-names.ts';
import { historyNumber, positionAt } from '../../src/plan/position.ts';

const history = (system: string, timeline = 1) => ({ system, database: '5', timeline });
const own = historyNumber(history('1'));
const other = historyNumber(history('2'));

describe('what a member has seen', () => {
  const position = positionAt(history('2'), '100:110:102,105');
  const known = knowledgeOf({ history: history('1'), watermarks: new Map([[1, { ...position, extra: [115n] }]]), copiedXid: 50n });

  test.each([
    [99n, true],
    [102n, false],
    [104n, true],
    [110n, false],
    [115n, true],
  ])('of another: transaction %s, %s', (xid, expected) => {
    expect(hasSeen(known, nameOf(other, xid))).toBe(expected);
  });

  test('of its own everything, since its rows were copied', () => {
    expect([hasSeen(known, nameOf(own, 49n)), hasSeen(known, nameOf(own, 50n)), hasSeen(known, nameOf(own, 9_999n))]).toEqual([false, true, true]);
  });

  test('of a history that it does not follow nothing: the same transaction id means another transaction there', () => {
    expect(hasSeen(known, nameOf(historyNumber(history('2', 2)), 99n))).toBe(false);
    expect(hasSeen(known, nameOf(historyNumber(history('1', 2)), 99n))).toBe(false);
  });
});

test('a receiver is told only of changes that are new to it', () => {
  const known = knowledgeOf({ history: history('1'), watermarks: new Map([[1, positionAt(history('2'), '100:110:')]]), copiedXid: 0n });
  const [made, seen, fresh] = [nameOf(own, 7n), nameOf(other, 109n), nameOf(other, 110n)];
  expect(namesNewTo(known, [made, seen, fresh])).toEqual([fresh]);
  expect(namesNewTo(known, [made, seen])).toEqual([]);
  expect(namesNewTo(known, null)).toBeNull();
});

describe('names of several', () => {
  test('are each change once', () => {
    expect(allNames([['1:5'], ['1:5', '2:7'], []])).toEqual(['1:5', '2:7']);
  });

  test('are none as soon as one of them has none', () => {
    expect(allNames([['1:5'], null])).toBeNull();
  });

  test('are none when there are too many', () => {
    const many = Array.from({ length: MAX_NAMES }, (_, index) => `1:${index}`);
    expect(allNames([many])).toHaveLength(MAX_NAMES);
    expect(allNames([many, ['2:1']])).toBeNull();
  });
});
