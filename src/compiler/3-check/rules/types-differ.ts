import type { EnumSchema } from '../../../plan/schema-lock.ts';
import { displayName } from '../../../sql/quote.ts';
import type { Rule } from '../rule.ts';
import { pairs, targetColumn } from '../target-columns.ts';
import { typesFit } from '../types-fit.ts';

/** SAR218. */
export const typesDiffer: Rule = {
  code: 'SAR218',
  severity: 'error',
  summary: 'a column has a type on the target that does not hold every value of the source',
  explanation:
    'Types must be the same, or wider on the target (integer to bigint, varchar(20) to text, numeric(8,2) to numeric(10,2), real to double precision). An enum must have all labels of the source.',
  run: (input) =>
    pairs(input).flatMap(({ sync, table, target, targetLabel, database, path }) => {
      const from = input.lock.databases[sync.source];
      const to = input.lock.databases[database];
      if (!from || !to) return [];
      return table.columns.flatMap((column) => {
        const written = targetColumn(target, column);
        if (column.from.kind === 'computed' || !written) return [];
        const { name, type } = column.from.column;
        if (typesFit({ type, database: from }, { type: written.type, database: to })) return [];
        const missing = missingLabels(type, written.type, { from: from.enums, to: to.enums });
        const message = missing ?? `column ${name} is ${type}, but ${written.name} of ${targetLabel} is ${written.type}`;
        return [{ path, message, hint: 'Change the type on the target and run `sarrio pull`, or convert the value with columns.compute.' }];
      });
    }),
};

/** Same type, other labels: the types' names would not tell what is wrong. */
function missingLabels(type: string, targetType: string, enums: { from: readonly EnumSchema[]; to: readonly EnumSchema[] }): string | null {
  const source = enums.from.find((candidate) => displayName(candidate) === type.replace(/(\[\])+$/, ''));
  const target = enums.to.find((candidate) => displayName(candidate) === targetType.replace(/(\[\])+$/, ''));
  if (!source || !target || source.name !== target.name) return null;
  const missing = source.labels.filter((label) => !target.labels.includes(label));
  return missing.length === 0 ? null : `enum ${targetType} on the target lacks ${missing.map((label) => `'${label}'`).join(', ')}`;
}
