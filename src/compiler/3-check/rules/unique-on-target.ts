import type { ModelTable } from '../../2-model/model.ts';
import type { Rule } from '../rule.ts';
import { pairs } from '../target-columns.ts';

/** SAR246. */
export const uniqueOnTargetOnly: Rule = {
  code: 'SAR246',
  severity: 'warning',
  summary: 'a target has a unique index that the source has not',
  explanation: 'The source may hold two rows that the index takes for one. The stream then stops: no row is ever left out or replaced by another.',
  example: 'west has a unique index on email, east has not',
  cure: 'Drop it there, or make it on the source, too.',
  run: (input) =>
    pairs(input).flatMap(({ table, target, targetLabel, path }) =>
      target.keys
        .filter(() => !isView(table))
        .filter(({ columns }) => !isImplied(table, new Set(columns.map(({ name }) => name))))
        .map(({ name, columns }) => ({
          path,
          message: `${targetLabel} has the unique index ${name} on (${columns.map((column) => column.name).join(', ')}), which the source has not`,
          hint: 'Create it on the source too, or drop it on the target: the first two rows that it takes for one stop the stream.',
        })),
    ),
};

/** Nobody can create an index on one. */
function isView({ source }: ModelTable): boolean {
  return source.kind === 'view';
}

/** Rows that are unique by some columns are unique by more. */
function isImplied({ source, columns }: ModelTable, unique: ReadonlySet<string>): boolean {
  return source.keys.some((key) =>
    key.columns.every(({ name }) => columns.some(({ target, from }) => from.kind === 'column' && from.column.name === name && unique.has(target))),
  );
}
