import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addable, lacking } from '../../src/conflict/addable.ts';
import { type Change, changesFrom, changesJson, sumOf } from '../../src/conflict/change.ts';
import type { Version } from '../../src/conflict/version.ts';

describe('sums of decimal texts', () => {
  const decimal = fc.tuple(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), fc.integer({ min: 0, max: 12 })).map(([digits, scale]) => {
    const text = String(digits < 0n ? -digits : digits).padStart(scale + 1, '0');
    return { digits, scale, text: `${digits < 0n ? '-' : ''}${scale === 0 ? text : `${text.slice(0, -scale)}.${text.slice(-scale)}`}` };
  });

  test('are exact, whatever the order', () => {
    fc.assert(
      fc.property(decimal, decimal, (a, b) => {
        const sum = sumOf(a.text, b.text);
        const scale = Math.max(a.scale, b.scale);
        const digits = a.digits * 10n ** BigInt(scale - a.scale) + b.digits * 10n ** BigInt(scale - b.scale);
        expect(BigInt((sum ?? '').replace('.', ''))).toBe(digits);
        expect(sumOf(b.text, a.text)).toBe(sum);
      }),
    );
  });

  test.each([
    ['10.50', '-1', '9.50'],
    ['0', '-0.25', '-0.25'],
    ['-3', '3', '0'],
    ['9223372036854775807', '1', '9223372036854775808'],
  ])('%s and %s are %s', (a, b, sum) => expect(sumOf(a, b)).toBe(sum));

  test.each(['NaN', 'Infinity', '-Infinity', '', '1e5'])('%s is nothing to add to', (text) => expect(sumOf(text, '1')).toBeNull());
});

const change = (member: number, xid: bigint, more: Partial<Change> = {}): Change => ({ member, xid, columns: ['n'], amounts: { n: '1' }, ...more });
const version = (member: number, changes: readonly Change[], op: Version['op'] = 'update'): Version => ({
  member,
  pendingAt: 1,
  names: null,
  at: 1n,
  op,
  image: 'x',
  changes,
});

describe('changes of a row', () => {
  test('entries of one transaction are one change; the same change by another way is the same', () => {
    const first = changesJson([change(0, 7n)]);
    expect(changesFrom([[...(first[0] ?? []), [0, '7', ['what'], { n: '2.5' }]], ...first], ['n'])).toEqual([
      { member: 0, xid: 7n, columns: ['n'], amounts: { n: '3.5' } },
    ]);
  });

  test('a transaction that also inserted or deleted the row has cut it off from what it was', () => {
    expect(changesFrom([[...(changesJson([change(0, 7n)])[0] ?? []), [0, '7', null, null]]], ['n'])[0]?.columns).toBeNull();
  });

  test('columns in which a decision has chosen without a change do not count in it any more', () => {
    const made = [[0, '7', ['n', 'what'], { n: '1' }]] as const;
    expect(changesFrom([made, [[0, '7', ['n'], { n: '1' }]]], ['n'])).toEqual([{ member: 0, xid: 7n, columns: ['n'], amounts: { n: '1' } }]);
    expect(changesFrom([[[0, '7', null, null]], made], ['n'])[0]?.columns).toBeNull();
  });

  test('an entry from before a column was a counter does not say what it added: the row has nothing in common with what it was', () => {
    const groups = [[[0, '7', ['n'], { n: '1' }]], [[1, '8', ['m'], { m: '0', n: '1' }]], [[2, '9', [], {}]]] as const;
    expect(changesFrom(groups, ['n', 'm']).map(({ columns }) => columns)).toEqual([null, ['m'], []]);
    expect(changesFrom([[[0, '7', ['n'], null]]], ['n'])[0]?.columns).toBeNull();
    expect(changesFrom([[[0, '7', ['n'], null]]], [])[0]?.columns).toEqual(['n']);
  });

  test('what a member has is not lacking, and where one cannot tell nothing is in common', () => {
    const made = version(0, [change(0, 7n), change(0, 8n)]);
    expect(lacking(made, 1, (_, { xid }) => xid === 7n)).toEqual([change(0, 8n)]);
    expect(lacking(made, 1, () => null)).toBeNull();
    expect(lacking(version(0, [change(0, 7n, { columns: null })]), 1, () => false)).toBeNull();
    expect(lacking(version(0, [change(0, 7n, { columns: null })]), 1, () => true)).toEqual([]);
  });

  test('each is added once, as its maker tells it, and nothing of a row that is gone', () => {
    const carried = version(1, [change(1, 5n), change(2, 9n, { amounts: { n: '99' } })]);
    const own = version(2, [change(2, 9n)]);
    const contains = (member: number, { member: maker }: Change): boolean => member === maker;
    expect(addable([version(0, []), carried, own], 0, contains)).toEqual([change(1, 5n), change(2, 9n)]);
    expect(addable([version(0, []), version(1, [change(1, 5n)], 'delete')], 0, contains)).toEqual([]);
  });
});
