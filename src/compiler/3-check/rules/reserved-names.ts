import { CHANGE_COLUMNS } from '../../../plan/change-columns.ts';
import { displayName } from '../../../sql/quote.ts';
import { placedTables, type Rule } from '../rule.ts';

/** A column that every stage table has. */
const STAGED = 'sarrio_present';

/** SAR226. */
export const reservedNames: Rule = {
  code: 'SAR226',
  severity: 'error',
  summary: 'a column has a name that sarrio needs itself',
  explanation: 'A delta table holds the key columns under their own names beside columns of ours; a stage table holds all columns beside one of ours.',
  run: (input) =>
    placedTables(input).flatMap(({ table, path }) => {
      const keys = table.key.columns.filter(({ name }) => CHANGE_COLUMNS.has(name)).map(({ name }) => `key column ${name}`);
      const staged = table.columns.filter(({ target }) => target === STAGED).map(({ target }) => `target column ${target}`);
      return [...keys, ...staged].map((what) => ({
        path,
        message: `${what} of ${displayName(table.source)} has a name that sarrio uses itself`,
        hint: 'Choose another key, rename the column, or leave it out.',
      }));
    }),
};
