import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { objectNames, wakeName } from '../../src/compiler/2-model/object-names.ts';

const all = (table: { schema: string; name: string }): readonly string[] => Object.values(objectNames(table)).flat();
const word = fc
  .string({ unit: fc.constantFrom('a', 'b', '_', 'ü', '😀', '"', '.', 'A'), minLength: 1, maxLength: 40 })
  .filter((name) => Buffer.byteLength(name) <= 63);

describe('names of our objects', () => {
  test('are at most 63 bytes of valid UTF-8, and different from each other', () => {
    fc.assert(
      fc.property(word, word, (schema, name) => {
        const names = all({ schema, name });
        for (const each of names) {
          expect(Buffer.byteLength(each)).toBeLessThanOrEqual(63);
          expect(Buffer.from(each).toString()).toBe(each);
          expect(each).not.toContain('\uFFFD');
        }
        expect(new Set(names).size).toBe(names.length);
      }),
    );
  });

  test('of two tables differ in the delta table, also where schema and name run together', () => {
    fc.assert(
      fc.property(word, word, word, word, (a, b, c, d) => {
        fc.pre(a !== c || b !== d);
        expect(objectNames({ schema: a, name: b }).delta).not.toBe(objectNames({ schema: c, name: d }).delta);
      }),
    );
    expect(objectNames({ schema: 'a_b', name: 'c' }).delta).not.toBe(objectNames({ schema: 'a', name: 'b_c' }).delta);
  });

  test('stay readable where they can', () => {
    expect(objectNames({ schema: 'public', name: 'order_lines' })).toMatchObject({ delta: 'delta_public_order_lines', current: 'current_public_order_lines' });
    expect(wakeName('shop')).toBe('wake_shop');
  });

  test('of two syncs differ', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 100 }), fc.string({ maxLength: 100 }), (a, b) => {
        fc.pre(a !== b);
        expect(wakeName(a)).not.toBe(wakeName(b));
        expect(Buffer.byteLength(wakeName(a))).toBeLessThanOrEqual(63);
      }),
    );
  });
});
