import { didYouMean } from '../../1-load/did-you-mean.ts';
import { type Finding, masterTables, type Rule } from '../rule.ts';

/** SAR311. */
export const maskedColumns: Rule = {
  code: 'SAR311',
  severity: 'error',
  summary: 'a masked column does not exist, or belongs to the key',
  explanation: 'A mask replaces values in the record of conflicts. The key says which row a conflict was about, there and in every message.',
  example: "mask: ['pasword']",
  cure: 'Correct the name; a column of the key cannot be masked.',
  run: (input) =>
    masterTables(input).flatMap(({ table, label, path }) => {
      const { columns, key } = table.reference;
      const names = columns.map(({ target }) => target);
      return table.mask.flatMap((name): readonly Finding[] => {
        const isKey = key.columns.some((column) => column.name === name);
        if (isKey)
          return [
            {
              path,
              message: `column ${name} of ${label} belongs to the key and cannot be masked`,
              hint: 'Leave it out of `mask`, or give the table another `key`.',
            },
          ];
        if (names.includes(name)) return [];
        return [{ path, message: `${label} has no column '${name}' to mask`, hint: didYouMean(name, names) }];
      });
    }),
};
