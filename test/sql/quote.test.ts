import fc from 'fast-check';
import { expect, test } from 'vitest';
import { displayName, ident, literal, quoteIdent } from '../../src/sql/quote.ts';
import { freshDatabase } from '../support/databases.ts';

const HOSTILE = [
  'a',
  'A',
  'a b',
  'a"b',
  "a'b",
  'a.b',
  '',
  '"',
  '""',
  'select',
  'table',
  'ü',
  'a$b',
  '$a$',
  '1a',
  '\\',
  'a\nb',
  'a;--',
  '/*',
  '😀',
  'user',
  'interval',
  'xmltable',
  'n'.repeat(63),
];

/** Any text without a NUL, which no server takes, and no half of a surrogate pair. */
const text = fc.string({ unit: 'grapheme', maxLength: 30 }).filter((value) => !value.includes('\0') && Buffer.from(value).toString() === value);

test('a name reads back as itself from the server, and as much is quoted as quote_ident quotes', async () => {
  const database = await freshDatabase('quote');
  for (const name of HOSTILE.filter((each) => each !== '')) {
    const quoted = quoteIdent(name);
    const [row] = await database
      .query(`select parse_ident($1) as parsed, quote_ident($2) as theirs, (select x.${quoted} from (select 1 as ${quoted}) as x) as one`, [quoted, name])
      .catch((error: unknown) => {
        throw new Error(`${JSON.stringify(name)} as ${quoted}`, { cause: error });
      });
    expect({ name, parsed: row?.['parsed'], one: row?.['one'] }).toEqual({ name, parsed: [name], one: 1 });
  }
});

test('every keyword of the server that is not a plain column name is quoted', async () => {
  const database = await freshDatabase('quote');
  const words = await database.query<{ word: string }>("select word from pg_get_keywords() where catcode <> 'U'");
  const plain = words.map(({ word }) => word).filter((word) => quoteIdent(word) === word);
  expect(plain).toEqual([]);
});

test('a literal is one value, whatever standard_conforming_strings says', async () => {
  const database = await freshDatabase('quote');
  const client = await database.connect();
  const texts = [...HOSTILE, ...fc.sample(text, 100)];
  for (const setting of ['on', 'off']) {
    await client.query(`set standard_conforming_strings = ${setting}; set escape_string_warning = off`);
    const { rows } = await client.query({ text: `select ${texts.map((value) => literal(value).text).join(', ')}`, rowMode: 'array' });
    expect(rows[0]).toEqual(texts);
  }
  await client.end();
});

test('names in any number of parts', () => {
  expect(ident('a', 'B c').text).toBe('a."B c"');
  expect(displayName({ schema: 'public', name: 'order' })).toBe('public."order"');
  expect(displayName({ schema: 'a.b', name: 'c' })).toBe('"a.b".c');
});

test('different names never look alike', () => {
  fc.assert(
    fc.property(text, text, text, text, (a, b, c, d) => {
      const same = a === c && b === d;
      expect(displayName({ schema: a, name: b }) === displayName({ schema: c, name: d })).toBe(same);
    }),
  );
});
