import fc from 'fast-check';
import { CORE_SCHEMA, dump, load } from 'js-yaml';
import { expect, test } from 'vitest';
import { printYaml } from '../../src/plan/print-yaml.ts';
import { readPrinted } from '../../src/plan/read-printed.ts';

const byJsYaml = (text: string): unknown => load(text, { schema: CORE_SCHEMA });

/** What plans are made of, and what is close to it. */
const text = fc.oneof(
  fc.constantFrom(
    'a',
    'public.orders',
    'select 1',
    "it's",
    '12e3',
    '007',
    'null',
    'a: b',
    'a #b',
    '- a',
    '[]',
    '{}',
    '~',
    '|-',
    '"char"',
    '',
    ' a',
    'a ',
    'ä€😀',
  ),
  fc
    .array(fc.constantFrom('select a', '  from b', '', 'where c: d', "  '# e'", ' ', '\t', 'x'), { minLength: 1, maxLength: 5 })
    .map((lines) => lines.join('\n')),
  fc.string({ unit: 'binary', maxLength: 6 }),
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
const documents = fc.dictionary(fc.constantFrom('a', 'syncs', 'public.orders'), value, { minKeys: 1 }).map((content) => ({ ...content, z: 0 }));
const options = { numRuns: 2_000, seed: Number(process.env['SARRIO_SEED'] ?? 47) };

test('what was printed is read as js-yaml reads it, or not at all', () => {
  const read = { all: 0, none: 0 };
  fc.assert(
    fc.property(documents, (content) => {
      const printed = printYaml(content);
      const found = readPrinted(printed);
      read[found === null ? 'none' : 'all'] += 1;
      if (found !== null) expect(found).toEqual(byJsYaml(printed));
    }),
    options,
  );
  expect(read.all).toBeGreaterThan(read.none / 4);
});

test('whatever is done to a printed text, it is read as js-yaml reads it, or not at all', () => {
  const edits = fc.record({
    at: fc.nat(),
    gone: fc.nat({ max: 3 }),
    put: fc.constantFrom('', ' ', '\n', ':', ': ', '#', ' #', '-', '- ', "'", '"', '|', '|-', 'a', '  ', '&', '*'),
  });
  fc.assert(
    fc.property(documents, edits, (content, { at, gone, put }) => {
      const printed = printYaml(content);
      const place = at % printed.length;
      const edited = printed.slice(0, place) + put + printed.slice(place + gone);
      const found = readPrinted(edited);
      if (found !== null) expect(found).toEqual(byJsYaml(edited));
    }),
    options,
  );
});

test('a plan as the compiler prints it is read without js-yaml', () => {
  const plan = { format: '1.2', list: [{ a: 'x', b: ['y', "z's"] }, { c: {} }], sql: 'select a\n\n  from b' };
  expect(readPrinted(`# comment\n${printYaml(plan)}`)).toEqual(plan);
  expect(printYaml(plan)).toBe(dump(plan, { schema: CORE_SCHEMA, lineWidth: -1, noRefs: true }));
});
