import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseTableName } from '../../src/compiler/2-model/table-name.ts';

describe('a table name in the config', () => {
  test.each([
    ['public.orders', { schema: 'public', name: 'orders' }],
    ['Public.Orders', { schema: 'Public', name: 'Orders' }],
    ['public."with.dot"', { schema: 'public', name: 'with.dot' }],
    ['"a""b"."c*"', { schema: 'a"b', name: 'c*' }],
    ['public.größe', { schema: 'public', name: 'größe' }],
    ['my schema.my table', { schema: 'my schema', name: 'my table' }],
  ])('%s is one table, case-exact', (text, name) => {
    expect(parseTableName(text)).toEqual({ kind: 'exact', name });
  });

  test.each(['', 'orders', 'a.b.c', '.orders', 'public.', 'public."orders', 'public.or"ders', '"public"x.orders', 'pub*.orders', '*.*'])(
    '%s is none',
    (text) => {
      expect(parseTableName(text).kind).toBe('fault');
    },
  );

  test.each([
    ['public.*', 'orders', true],
    ['public.order_*', 'order_lines', true],
    ['public.order_*', 'orders', false],
    ['public.*_log', 'x_log', true],
    ['public.a*c*e', 'abcde', true],
    ['public.a.*', 'abc', undefined],
    ['public.a+*', 'aaa', false],
    ['public.Order*', 'orders', false],
    ['public.*', 'with\nline', true],
  ])('%s and the table %s', (text, name, fits) => {
    const parsed = parseTableName(text);
    expect(parsed.kind === 'pattern' ? parsed.matches({ schema: 'public', name }) : undefined).toBe(fits);
  });

  test('a pattern stays in its schema', () => {
    const parsed = parseTableName('public.*');
    expect(parsed.kind === 'pattern' && parsed.matches({ schema: 'other', name: 'orders' })).toBe(false);
  });

  test('any two names in quotes come back as they are', () => {
    const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'binary' }), fc.string({ minLength: 1 }), (schema, name) => {
        expect(parseTableName(`${quoted(schema)}.${quoted(name)}`)).toEqual({ kind: 'exact', name: { schema, name } });
      }),
    );
  });
});
