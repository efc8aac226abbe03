import { expect, test } from 'vitest';
import { judge } from '../../src/conflict/handlers/judge.ts';
import { recordedRow } from '../../src/conflict/mask.ts';

const COLUMNS = [
  { name: 'id', type: 'integer' },
  { name: 'pin', type: 'integer' },
] as const;

test('a record holds a mask in place of the value, null or not', () => {
  const names = COLUMNS.map(({ name }) => name);
  expect(recordedRow(names, { isPresent: true, values: ['1', '4711'] }, ['pin'])).toEqual({ id: '1', pin: '(masked)' });
  expect(recordedRow(names, { isPresent: true, values: ['1', null] }, ['pin'])).toEqual({ id: '1', pin: '(masked)' });
  expect(recordedRow(names, { isPresent: true, values: ['1', null] }, [])).toEqual({ id: '1', pin: null });
});

test("what is wrong with a handler's value for a masked column is said without the value", () => {
  const version = { member: 0, at: 1n, op: 'update', row: { isPresent: true, values: ['1', '4711'] } } as const;
  const conflict = { key: ['1'], versions: [version] };
  const messageOf = (masked: readonly string[]): string => {
    const shape = { table: 'public.t', columns: COLUMNS, key: ['id'], databases: ['east', 'west'], masked };
    const outcome = judge(shape, conflict, { kind: 'merge', values: [['pin', 47.11]] });
    return outcome.kind === 'failure' ? outcome.message : '';
  };
  expect(messageOf([])).toContain('47.11');
  expect(messageOf(['pin'])).toBe('merge(…), column pin: its value, which is masked, does not fit');
});
