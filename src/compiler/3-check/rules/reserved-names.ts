import { CHANGE_COLUMNS } from '../../../plan/change-columns.ts';
import { displayName } from '../../../sql/quote.ts';
import { placedTables, type Rule } from '../rule.ts';

/** Columns of the stage tables of rounds and of verify. */
const STAGED = new Set(['sarrio_present', 'sarrio_pending', 'sarrio_hashes', 'sarrio_number', 'sarrio_kind', 'sarrio_columns']);

/** SAR226. */
export const reservedNames: Rule = {
  code: 'SAR226',
  severity: 'error',
  summary: 'a column has a name that sarrio needs itself',
  explanation: 'A delta table holds the key columns under their own names beside columns of ours; a stage table holds all columns beside some of ours.',
  example: 'a key column with the name change_xid',
  cure: 'Rename the column, or choose another key.',
  run: (input) =>
    placedTables(input).flatMap(({ sync, table, path }) => {
      const keys = table.key.columns.filter(({ name }) => CHANGE_COLUMNS.has(name)).map(({ name }) => `key column ${name}`);
      const staged = table.columns
        .filter(({ target }) => STAGED.has(target) || (sync.mode === 'multi-master' && target.startsWith('sarrio_')))
        .map(({ target }) => `target column ${target}`);
      return [...keys, ...staged].map((what) => ({
        path,
        message: `${what} of ${displayName(table.source)} has a name that sarrio uses itself`,
        hint: 'Choose another key, rename the column, or leave it out.',
      }));
    }),
};
