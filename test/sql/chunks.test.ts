import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dangerousRaw, foreignExpression, join, type Sql, sql } from '../../src/sql/sql.ts';

const text = fc.string({ unit: fc.constantFrom('a', ' ', '\n', '\t', ','), maxLength: 8 });
const { part } = fc.letrec<{ part: Sql }>((tie) => ({
  part: fc.oneof(
    { depthSize: 'small' },
    text.map(dangerousRaw),
    text.map(foreignExpression),
    fc.tuple(fc.array(tie('part'), { maxLength: 3 }), fc.constantFrom(',\n', ' and ', '\n', '\n  and ', '')).map(([parts, between]) => join(parts, between)),
    fc.tuple(fc.array(text, { minLength: 3, maxLength: 3 }), tie('part'), tie('part')).map(([texts, one, other]) => templateOf(texts, one, other)),
  ),
}));

/** As if it had been written between backticks. */
function templateOf(texts: readonly string[], ...values: readonly Sql[]): Sql {
  return sql(Object.assign([...texts], { raw: texts }), ...values);
}

test('what is known of a text that was put together is what looking at it says', () => {
  fc.assert(
    fc.property(part, (found) => {
      const looked = dangerousRaw(found.marked);
      const { lastLine, margin, startsLine, endsBlank, keeps, text: shown } = looked;
      expect(found).toMatchObject({ lastLine, margin, startsLine, endsBlank, keeps, text: shown });
      // It may be held to have blanks at the end of a line without having any, never the other way round.
      expect(found.trails || !looked.trails).toBe(true);
    }),
    { numRuns: 3000 },
  );
});
