import type { Rule } from '../rule.ts';
import { pairs, targetColumn } from '../target-columns.ts';
import { typeMisfit } from '../types-fit.ts';

/** SAR218. */
export const typesDiffer: Rule = {
  code: 'SAR218',
  severity: 'error',
  summary: 'a column has a type on the target that does not hold every value of the source',
  explanation:
    'Types must be the same, or wider on the target (integer to bigint, varchar(20) to text, numeric(8,2) to numeric(10,2), real to double precision). An enum must have all labels of the source, a domain may demand no more, and a composite or range type must be made of the same.',
  example: 'bigint on east, integer on west',
  cure: 'Widen the column on the target and run sarrio pull.',
  run: (input) =>
    pairs(input).flatMap(({ flow, table, target, targetLabel, database, path }) => {
      const from = input.lock.databases[flow.source];
      const to = input.lock.databases[database];
      if (!from || !to) return [];
      return table.columns.flatMap((column) => {
        const written = targetColumn(target, column);
        if (column.from.kind === 'computed' || !written) return [];
        const { name, type } = column.from.column;
        const misfit = typeMisfit({ type, database: from }, { type: written.type, database: to });
        if (misfit === null) return [];
        const types = `column ${name} is ${type}, but ${written.name} of ${targetLabel} is ${written.type}`;
        // Where the names of the types say it all, they are enough.
        const message = misfit.includes('does not fit into') && type !== written.type ? types : `column ${name} of ${targetLabel}: ${misfit}`;
        return [{ path, message, hint: 'Change the type on the target and run `sarrio pull`, or convert the value with columns.compute.' }];
      });
    }),
};
