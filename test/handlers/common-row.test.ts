import { expect, test } from 'vitest';
import { commonRow, recordValues } from '../../src/conflict/common-row.ts';

const STAMP = '1767225600000000';
const LAYOUT = { layout: 'abcd', columns: 2 };

/** By member and other one, what stood there. */
function common(befores: Readonly<Record<string, string>>, candidates: readonly number[] = [0, 1]) {
  return commonRow(candidates, (member, other) => befores[`${member}>${other}`] ?? null, LAYOUT);
}

test('a row that each held before what the other one has not seen is common', () => {
  expect(common({ '0>1': `${STAMP}(abcd,1,x)`, '1>0': `1767225600000009(abcd,1,x)` })).toEqual({ isPresent: true, values: ['1', 'x'] });
  expect(common({ '0>1': `${STAMP}-`, '1>0': `${STAMP}-` })).toEqual({ isPresent: false, values: [] });
});

test.each([
  ['they held different rows', { '0>1': `${STAMP}(abcd,1,x)`, '1>0': `${STAMP}(abcd,1,y)` }],
  ['one held none', { '0>1': `${STAMP}(abcd,1,x)`, '1>0': `${STAMP}-` }],
  ['one has not kept it', { '0>1': `${STAMP}(abcd,1,x)`, '1>0': '0000000000000000?' }],
  ['none has kept it', { '0>1': '0000000000000000?', '1>0': '0000000000000000?' }],
  ['one has nothing that the other one lacks', { '0>1': `${STAMP}(abcd,1,x)` }],
  ['the columns were others', { '0>1': `${STAMP}(abce,1,x)`, '1>0': `${STAMP}(abce,1,x)` }],
  ['there are more of them', { '0>1': `${STAMP}(abcd,1,x,)`, '1>0': `${STAMP}(abcd,1,x,)` }],
] as const)('nobody knows where %s', (_, befores) => {
  expect(common(befores)).toBeNull();
});

test('of three each must agree with each', () => {
  const row = `${STAMP}(abcd,1,x)`;
  const all = { '0>1': row, '0>2': row, '1>0': row, '1>2': row, '2>0': row, '2>1': row };
  expect(common(all, [0, 1, 2])).toEqual({ isPresent: true, values: ['1', 'x'] });
  expect(common({ ...all, '2>1': `${STAMP}(abcd,1,y)` }, [0, 1, 2])).toBeNull();
});

test.each([
  ['(a,,"")', ['a', null, '']],
  ['("a,b","c""d","e\\\\f")', ['a,b', 'c"d', 'e\\f']],
  ['("(1,""x, y"")"," ")', ['(1,"x, y")', ' ']],
  ['("line\nbreak",)', ['line\nbreak', null]],
  ['no record', null],
] as const)('%j', (text, values) => {
  expect(recordValues(text)).toEqual(values);
});
