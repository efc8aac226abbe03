import { uniqueBesideKey } from '../../2-model/unique-indexes.ts';
import type { Rule } from '../rule.ts';
import { pairs } from '../target-columns.ts';

/** SAR298. */
export const keptUnique: Rule = {
  code: 'SAR298',
  severity: 'warning',
  summary: 'a target that keeps rows which are gone at the source has a unique index beside the key',
  explanation: 'The source gives the value of a row that is gone to another row, and the row that stays is in its way.',
  example: "skip: ['delete'], and a unique index on email at the target",
  cure: 'Drop the index on the target.',
  run: (input) =>
    pairs(input).flatMap(({ table, target, targetLabel, path }) => {
      if (table.gone === 'deleted') return [];
      const key = new Set(table.key.columns.map(({ name }) => name));
      const beside = uniqueBesideKey({ ...table, source: target, key: table.key });
      return beside.map(({ name, columns }) => ({
        path,
        message: `${targetLabel} keeps rows that are gone at the source, and has the unique index ${name} on (${columns.map((column) => column.name).join(', ')}) beside its key (${[...key].join(', ')})`,
        hint: 'Without it on the target all is well: the first new row with the value of a row that stays stops the stream.',
      }));
    }),
};
