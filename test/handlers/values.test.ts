import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type EncodedValue, textOf, handlerValue } from '../../src/conflict/handlers/values.ts';
import { timeText } from '../../src/conflict/handlers/conflict.ts';
import type { TestDatabase } from '../support/database.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { TYPE_VALUES, USER_TYPES } from '../support/type-values.ts';

/** As a handler would have it, and as what it returns comes back. */
const throughHandler = (text: string, type: string): string => {
  const back = textOf(JSON.parse(JSON.stringify(handlerValue(text, type))) as EncodedValue, type);
  return 'fault' in back ? `fault: ${back.fault}` : (back.text ?? 'null');
};

describe('values and the server', () => {
  let server: TestServer;
  let database: TestDatabase;

  beforeAll(async () => {
    server = await startServer({ durable: false });
    database = await server.createDatabase();
    await database.script(USER_TYPES);
  }, 120_000);

  afterAll(() => server?.dispose());

  const textFrom = async (expression: string, type: string): Promise<string> => {
    const [found] = await database.query(`select (${expression})::${type}::text as value`);
    return String(found?.['value']);
  };
  const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

  test.each(Object.entries(TYPE_VALUES).filter(([type]) => !type.includes('collate')))('%s comes back as it was', async (type, values) => {
    const name = String((await database.query(`select format_type(to_regtype(${literal(type.replace(/\(.*?\)/, ''))}), null) as name`))[0]?.['name']);
    for (const value of values) {
      const text = await textFrom(value, type);
      expect(await textFrom(literal(throughHandler(text, name)), type)).toBe(text);
    }
  });

  test.each([
    ['double precision', fc.double()],
    ['real', fc.float()],
    ['integer', fc.integer()],
    ['smallint', fc.integer({ min: -32768, max: 32767 })],
    ['bigint', fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })],
    ['boolean', fc.boolean()],
    ['text', fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\0', ''))],
  ] as const)('any %s that a handler returns is what the server then holds', async (type, values) => {
    const encoded = (value: unknown): EncodedValue =>
      typeof value === 'bigint'
        ? { bigint: String(value) }
        : typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))
          ? { number: Object.is(value, -0) ? '-0' : String(value) }
          : (value as EncodedValue);
    await fc.assert(
      fc.asyncProperty(values as fc.Arbitrary<unknown>, async (value) => {
        const text = textOf(encoded(value), type);
        if ('fault' in text) throw new Error(text.fault);
        const held = await textFrom(literal(text.text ?? ''), type);
        const expected = typeof value === 'bigint' ? String(value) : encoded(value);
        const found = handlerValue(held, type);
        // Two decimals may stand for the same four bytes.
        const isReal = type === 'real' && typeof found === 'number' && typeof expected === 'number';
        expect(isReal ? Math.fround(found) : found).toEqual(isReal ? Math.fround(expected) : expected);
      }),
      { numRuns: 200 },
    );
  });
});

test.each([
  ['integer', 2147483648, '2147483648 is out of the range of integer'],
  ['integer', 1.5, '1.5 is no integer'],
  ['integer', { number: 'NaN' }, 'NaN is no integer'],
  ['smallint', 40000, '40000 is out of the range of smallint'],
  ['bigint', 5, 'a number may have lost digits; bigint takes a text or a bigint'],
  ['bigint', '12.5', '"12.5" is no bigint'],
  ['bigint', { bigint: '9223372036854775808' }, '9223372036854775808 is out of the range of bigint'],
  ['numeric(10,2)', 'a', '"a" is no numeric(10,2)'],
  ['real', 1e300, '1e+300 is out of the range of real'],
  ['real', 1e-60, '1e-60 is out of the range of real'],
  ['double precision', '1', 'a text does not fit the type double precision'],
  ['boolean', 'true', 'a text does not fit the type boolean'],
  ['boolean', 1, 'a number does not fit the type boolean'],
  ['text', true, 'a boolean does not fit the type text'],
  ['text', { bigint: '1' }, 'a bigint does not fit the type text'],
  ['text', 'a\0b', 'PostgreSQL holds no text with a NUL character'],
  ['text', '\ud800', 'the text has half of a surrogate pair'],
  ['character varying(3)', 'ab😀d', 'a text of 4 characters is too long for character varying(3)'],
  ['jsonb', '{a:1}', '"{a:1}" is no jsonb'],
  ['uuid', 'x', '"x" is no uuid'],
  ['text', { other: 'undefined' }, 'undefined is no value of a column'],
] as const)('a %s cannot be %j', (type, value, fault) => {
  expect(textOf(value, type)).toEqual({ fault });
});

test('times have six digits, before 1970 as well', () => {
  expect([0n, 1n, 1_764_176_400_123_456n, -1n].map(timeText)).toEqual([
    '1970-01-01T00:00:00.000000Z',
    '1970-01-01T00:00:00.000001Z',
    '2025-11-26T17:00:00.123456Z',
    '1969-12-31T23:59:59.999999Z',
  ]);
});
