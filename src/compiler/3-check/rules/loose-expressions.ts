import { expressionFault } from '../../../sql/expression-fault.ts';
import { displayName } from '../../../sql/quote.ts';
import { type Finding, placedTables, type Rule } from '../rule.ts';

/** SAR251. */
export const looseExpressions: Rule = {
  code: 'SAR251',
  severity: 'error',
  summary: 'a row filter or computed column is not one expression',
  explanation: 'It is put between parentheses in the statements of the plan; a stray parenthesis, quote or semicolon would change all that follows.',
  example: 'where: "a) or (b"',
  cure: 'Write one expression, with its quotes and parentheses closed.',
  run: (input) =>
    placedTables(input).flatMap(({ table, path }) => {
      const computed = table.columns.flatMap(({ target, from }) => (from.kind === 'computed' ? [[`computed column ${target}`, from.expression] as const] : []));
      const texts = [...(table.where === null ? [] : [['row filter', table.where] as const]), ...computed];
      return texts.flatMap(([what, text]): readonly Finding[] => {
        const fault = expressionFault(text);
        if (fault === null) return [];
        const message = `the ${what} of ${displayName(table.source)} is not one SQL expression: ${fault}`;
        return [{ path, message, hint: 'Write one condition or value, with quotes and parentheses closed and without a semicolon.' }];
      });
    }),
};
