import { describe, expect, test } from 'vitest';
import { dangerousRaw, empty, join, sql } from '../../src/sql/sql.ts';

const raw = dangerousRaw;

describe('the template tag', () => {
  test('takes away the margin that all lines share', () => {
    expect(
      sql`
      select 1
        from t
    `.text,
    ).toBe('select 1\n  from t');
  });

  test('leaves a template of one line as it is', () => {
    expect(sql`  a b`.text).toBe('  a b');
    expect(sql``.text).toBe('');
  });

  test('indents a placeholder of several lines to the line that it stands in', () => {
    const inner = sql`
      a
        b
    `;
    expect(
      sql`
      (
        ${inner}
      )
    `.text,
    ).toBe('(\n  a\n    b\n)');
    expect(sql`x = (${inner})`.text).toBe('x = (a\n  b)');
  });

  test('drops spaces at the ends of lines, as an empty placeholder leaves them', () => {
    expect(
      sql`
      a ${empty}
      b
    `.text,
    ).toBe('a\nb');
  });

  test('reads backslashes, backticks and dollars as written', () => {
    expect(sql`a \\ \` \${x}`.text).toBe('a \\ ` ${x}');
  });

  test('does not look into placeholders again', () => {
    expect(sql`${raw('a')}${raw('${b} \\` $1')}c`.text).toBe('a${b} \\` $1c');
  });
});

test('join puts a comma and a line break between pieces unless told otherwise', () => {
  expect(join([raw('a'), raw('b')]).text).toBe('a,\nb');
  expect(join([raw('a'), raw('b')], ' and ').text).toBe('a and b');
  expect(join([]).text).toBe('');
});
