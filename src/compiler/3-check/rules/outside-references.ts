import { displayName } from '../../../sql/quote.ts';
import { masterTables, type Rule } from '../rule.ts';

/** SAR269. */
export const outsideReferences: Rule = {
  code: 'SAR269',
  severity: 'warning',
  summary: 'a table of a multi-master sync has a foreign key to a table outside of it',
  explanation:
    'Rounds write without checking foreign keys, since the rows of a group arrive together. A row that points to a table outside of the group may point to nothing at another member.',
  example: 'orders points to products, which is not in the sync',
  cure: 'Add the other table to the sync.',
  run: (input) =>
    masterTables(input).flatMap(({ sync, table, label, path }) => {
      const inside = new Set(sync.tables.map(({ reference }) => displayName(reference.source)));
      const outside = new Set(Object.values(table.schemas).flatMap(({ references }) => references.map(displayName)));
      return [...outside]
        .filter((name) => !inside.has(name))
        .map((name) => ({
          path,
          message: `${label} has a foreign key to ${name}, which is not in sync '${sync.name}': a row may arrive that points to nothing`,
          hint: `Add ${name} to the sync, unless its rows are the same everywhere.`,
        }));
    }),
};
