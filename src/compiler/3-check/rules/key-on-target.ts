import { displayName } from '../../../sql/quote.ts';
import { keyOn } from '../../2-model/resolve-key.ts';
import { targetNameOf } from '../../2-model/target-name.ts';
import { placedTables, type Rule } from '../rule.ts';
import { pairs } from '../target-columns.ts';

/** SAR216. */
export const keyDoesNotFlow: Rule = {
  code: 'SAR216',
  severity: 'error',
  summary: 'a key column does not flow as it is',
  explanation: 'A changed row is found on the target by its key, so every key column must go there unchanged, into a column that can be written.',
  example: "columns: { omit: ['id'] }",
  cure: 'Let the key flow, or choose another key.',
  run: (input) =>
    placedTables(input).flatMap(({ table, path }) =>
      table.key.columns
        .filter(({ name }) => targetNameOf(table, name) === null)
        .map(({ name }) => {
          const message = `key column ${name} of ${displayName(table.source)} does not flow`;
          return { path, message, hint: 'Leave it in: do not omit or compute it, and make it no generated column on the target. Or choose another key.' };
        }),
    ),
};

/** SAR217. */
export const noUniqueIndexOnTarget: Rule = {
  code: 'SAR217',
  severity: 'error',
  summary: 'a target table has no unique index on the key',
  explanation: 'The target needs a unique index (or the primary key) on exactly the key columns, or one key could stand there twice.',
  example: 'west.orders has no primary key',
  cure: 'Create the unique index there and run sarrio pull.',
  run: (input) =>
    pairs(input).flatMap(({ table, target, targetLabel, path }) => {
      const names = table.key.columns.map(({ name }) => targetNameOf(table, name));
      const columns = names.filter((name) => name !== null && target.columns.some((column) => column.name === name));
      if (
        names.length === 0 ||
        columns.length < names.length ||
        keyOn(
          target,
          columns.filter((name) => name !== null),
        )
      )
        return [];
      const message = `${targetLabel} has no unique index on (${columns.join(', ')})`;
      return [{ path, message, hint: 'Create one there and run `sarrio pull`, or choose another key.' }];
    }),
};
