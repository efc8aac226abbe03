import fc from 'fast-check';
import { CORE_SCHEMA, dump, load } from 'js-yaml';
import { expect, test } from 'vitest';
import { printYaml } from '../../src/plan/print-yaml.ts';

const byJsYaml = (value: unknown): string => dump(value, { schema: CORE_SCHEMA, lineWidth: -1, noRefs: true });

/** Pieces that mean something to YAML, beside what plans are made of. */
const piece = fc.oneof(
  fc.constantFrom(
    ...['a', 'select 1', ' ', '  ', '\n', '\n\n', ':', ': ', '#', ' #', '-', '- ', '?', '|', '>', '%', '@', '`', '&a', '*a', '!', '{', '}', '[', ']'],
  ),
  fc.constantFrom(
    ...[',', "'", '"', '\t', '\r', '\u2028', '\u00a0', '\u0085', '\ufeff', 'İ', '😀', '\0', '---', '...', '<<', '=', '~', '0', '1e3', '0x', '.', '$1::text'],
  ),
);
const text = fc.oneof(
  { weight: 6, arbitrary: fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('')) },
  fc.constantFrom('null', 'Null', 'true', 'FALSE', 'yes', 'no', 'on', 'y', '.inf', '.NaN', '0b11', '0o7', '0xff', '12e3', '1_000', '2026-01-01', '1:30', ''),
  fc.stringMatching(/^[0-9a-f]{1,8}$/),
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme', maxLength: 700 }),
);

const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    { weight: 3, arbitrary: text },
    fc.oneof(fc.integer(), fc.boolean(), fc.constant(null), fc.double({ noNaN: true })),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(text, tie('value'), { maxKeys: 3 }),
  ),
}));

// An end of the document that needs a mark behind it is none that a plan has.
const documents = fc
  .dictionary(fc.constantFrom('a', 'syncs', '1', 'public.orders'), value, { minKeys: 1, maxKeys: 4 })
  .map((content) => ({ ...content, z: 0 }));

test('whatever it is given, it is printed as js-yaml prints it', () => {
  fc.assert(
    fc.property(documents, (content) => {
      expect(printYaml(content)).toBe(byJsYaml(content));
      expect(load(printYaml(content), { schema: CORE_SCHEMA })).toEqual(content);
    }),
    { numRuns: 3_000, seed: Number(process.env['SARRIO_SEED'] ?? 43) },
  );
});
