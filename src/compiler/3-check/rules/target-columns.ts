import { didYouMean } from '../../1-load/did-you-mean.ts';
import type { Rule } from '../rule.ts';
import { pairs, targetColumn } from '../target-columns.ts';

/** SAR214. */
export const targetColumnMissing: Rule = {
  code: 'SAR214',
  severity: 'error',
  summary: 'a target table lacks a column that flows',
  explanation:
    "All columns of the source flow unless the config picks or omits some; each needs a column of its name on the target. missingColumns: 'omit' leaves out those that no target has, never one that some have.",
  example: 'orders.note is on east and not on west',
  cure: "Add the column there and run sarrio pull, omit it with columns.omit, or missingColumns: 'omit'.",
  run: (input) =>
    pairs(input).flatMap(({ table, target, targetLabel, path }) =>
      table.columns
        .filter((column) => !targetColumn(target, column))
        .map(({ target: name }) => {
          const guess = didYouMean(
            name,
            target.columns.map((column) => column.name),
          );
          const hint = 'Add it there and run `sarrio pull`, or leave it out with columns.omit, or give it another name with columns.rename.';
          return { path, message: `${targetLabel} has no column ${name}`, hint: guess ? `${guess} ${hint}` : hint };
        }),
    ),
};

/** SAR215. */
export const targetColumnUnfilled: Rule = {
  code: 'SAR215',
  severity: 'error',
  summary: 'a target table has a further column that must be filled',
  explanation: 'Nothing flows into the column, it may not be null, and it has no default: every insert would fail.',
  example: 'west.orders.region is NOT NULL without a default',
  cure: `Give it a default, or compute it: columns: { compute: { region: "'eu'" } }`,
  run: (input) =>
    pairs(input).flatMap(({ table, target, targetLabel, path }) => {
      const written = new Set(table.columns.map((column) => column.target));
      return target.columns
        .filter(
          ({ name, notNull, hasDefault, identity, generated }) => !written.has(name) && notNull && !hasDefault && identity === 'none' && generated === 'none',
        )
        .map(({ name }) => ({
          path,
          message: `nothing flows into column ${name} of ${targetLabel}, which is NOT NULL and has no default`,
          hint: 'Give it a default there, or fill it with columns.compute.',
        }));
    }),
};

/** SAR223. */
export const nullIntoNotNull: Rule = {
  code: 'SAR223',
  severity: 'warning',
  summary: 'a column that may be null flows into one that may not',
  explanation: 'The first null stops the stream.',
  example: 'note may be null on east and not on west',
  cure: 'ALTER TABLE … ALTER COLUMN note DROP NOT NULL on the target; or let the source forbid nulls, too.',
  run: (input) =>
    pairs(input).flatMap(({ table, target, targetLabel, path }) =>
      table.columns.flatMap((column) => {
        const to = targetColumn(target, column);
        if (column.from.kind === 'computed' || column.from.column.notNull || !to?.notNull) return [];
        const message = `column ${column.from.column.name} may be null, but ${to.name} of ${targetLabel} is NOT NULL`;
        return [{ path, message, hint: 'Make them alike, or replace nulls with columns.compute.' }];
      }),
    ),
};
