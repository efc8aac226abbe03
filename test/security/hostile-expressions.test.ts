import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expressionFault } from '../../src/sql/expression-fault.ts';
import { dangerousRaw, foreignExpression, sql } from '../../src/sql/sql.ts';
import { freshDatabase } from '../support/databases.ts';
import { replicated } from '../support/runner.ts';

describe('a row filter or computed column', () => {
  test.each([
    'true)) as t) to stdout; drop table x; --',
    'true; drop table x',
    'a)',
    '(a',
    'a]',
    '(a]',
    "'open",
    '"open',
    "E'open\\'",
    "nameE'\\'; drop table x; --'",
    '$x$ open $y$',
    '/* open /* closed */',
    "E'a'\n'b\\'); drop table x; --'",
    "E'a' -- why\n 'b'",
    '\\; drop',
    '$1',
  ])('that is %s is refused', (text) => {
    expect(expressionFault(text)).not.toBeNull();
  });

  test.each([
    'true',
    "a = 'it''s; ) fine' and b <> \"odd ) name\" -- why ) not",
    "E'\\'; )' || $$ ; ) $$ || $tag$ $$ ' $tag$",
    '/* ; ( /* nested */ */ (a[1:2])[1] = any (array[1, 2])',
    "a$b = U&'\\0061' and total$ > 0 and é ~ '^\\(.*;$'",
    "first = 'a'\n'b'",
  ])('that is %s is one', (text) => {
    expect(expressionFault(text)).toBeNull();
  });

  const pieces = [
    ...[
      "'",
      "''",
      '"',
      '""',
      '$$',
      '$a$',
      '$',
      'E',
      'e',
      "E'",
      'U&',
      '\\',
      "\\'",
      '--',
      '/*',
      '*/',
      '(',
      ')',
      '[',
      ']',
      ';',
      '\n',
      '\r',
      ' ',
      'é',
      ',',
      '1',
      'a',
      '::text',
    ],
    ...['; insert into trap values (1); --', ') ; insert into trap values (1); select (1', "'); insert into trap values (1); --", '\u2028', '\0'.slice(1)],
    ...['); insert into trap values (1); /*', '$$); insert into trap values (1); --', '") from trap); insert into trap values (1); --'],
  ];

  test('never leaves its parentheses, whatever it is made of', async () => {
    const database = await freshDatabase('hostile');
    await database.script('create table trap (id integer)');
    const client = await database.connect();
    let taken = 0;
    const property = fc.asyncProperty(fc.array(fc.constantFrom(...pieces), { minLength: 1, maxLength: 9 }), async (parts) => {
      const text = parts.join('');
      fc.pre(expressionFault(text) === null);
      const { text: statement } = sql`
        copy (
          select t.e
          from (
            select ${foreignExpression(text)} as e
            from trap
          ) as t
        ) to '/dev/null'
      `;
      await client.query(statement.replace(/^copy \(/, 'select * from (').replace(/\) to '\/dev\/null'$/, ') as all_of_it')).then(
        () => void (taken += 1),
        (error: { code?: string }) => expect(error.code).toMatch(/^(42|22)/),
      );
      expect((await client.query('select from trap')).rowCount, JSON.stringify(text)).toBe(0);
    });
    await fc.assert(property, { numRuns: 400 });
    await client.end();
    expect(taken).toBeGreaterThan(0);
  });

  test('keeps its line breaks and blanks, wherever it is put', () => {
    const inner = sql`
      where
        ${foreignExpression("a = 'x \n   y\t\n'")}
        and ${dangerousRaw('b\nc')}
    `;
    expect(sql`  ${inner}`.text).toBe("  where\n    (a = 'x \n   y\t\n'\n)\n    and b\n    c");
  });

  test('means on the way what it says, with line breaks in its literals', async () => {
    const { source, follows, target } = await replicated('create table t (id integer primary key, v text);', {
      tables: [{ table: 'public.t', where: "v <> 'x \n  y' -- not this", columns: { compute: { v: "v || '\n  z '" } } }],
      compared: [{ source: 'public.t', columns: { id: 'id', v: "v || E'\\n  z '" }, where: "v <> E'x \\n  y'" }],
    });
    await follows("insert into t values (1, E'x \\n  y'), (2, E'x\\ny'), (3, 'plain')");
    expect((await source.query('select from t')).length).toBe(3);
    expect((await target.query('select from t')).length).toBe(2);
  });
});
