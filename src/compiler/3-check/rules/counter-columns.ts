import { didYouMean } from '../../1-load/did-you-mean.ts';
import { countedTables } from '../merge-rules.ts';
import type { Rule } from '../rule.ts';

/** SAR290. */
export const counterUnknown: Rule = {
  code: 'SAR290',
  severity: 'error',
  summary: 'a counter is no column of its table',
  explanation: 'A rule of a whole sync applies to each of its tables; counters are named at the table that has them.',
  example: "counters: ['stok']",
  cure: 'Name columns of the table; a rule of a whole sync has no counters.',
  run: (input) =>
    countedTables(input).flatMap(({ table, label, counters, list }) => {
      const known = table.reference.source.columns.map(({ name }) => name);
      return counters.flatMap((name, position) => {
        if (known.includes(name)) return [];
        const hint = didYouMean(name, known) ?? 'Name counters at the table that has them: { table, onConflict: { counters, otherwise } }.';
        return [{ path: [...list, position], message: `${label} has no column ${name}`, hint }];
      });
    }),
};

/** SAR291. */
export const counterType: Rule = {
  code: 'SAR291',
  severity: 'error',
  summary: 'a counter is of a type whose changes do not add up',
  explanation:
    'Differences are added in whatever order they come, and must give the same sum everywhere. Of real and double precision they do not: each addition rounds, so that another order gives another sum.',
  example: "counters: ['weight']   // double precision",
  cure: 'Use a column of type smallint, integer, bigint or numeric.',
  run: (input) =>
    countedTables(input).flatMap(({ table, label, counters, list }) =>
      counters.flatMap((name, position) => {
        const column = table.reference.source.columns.find((each) => each.name === name);
        if (column === undefined || isSummable(column.type)) return [];
        const why = /^(real|double precision)$/.test(column.type) ? ': sums of it depend on the order' : '';
        const hint = 'A counter is smallint, integer, bigint or numeric.';
        return [{ path: [...list, position], message: `counter ${name} of ${label} is ${column.type}${why}`, hint }];
      }),
    ),
};

/** SAR292. */
export const counterPlace: Rule = {
  code: 'SAR292',
  severity: 'error',
  summary: 'a counter is part of the key, or generated',
  explanation: 'A row is found by its key, so a change of the key is another row; and a generated column is computed by each member itself.',
  example: "counters: ['id']",
  cure: 'Leave it out.',
  run: (input) =>
    countedTables(input).flatMap(({ table, label, counters, list }) =>
      counters.flatMap((name, position) => {
        const { key, source } = table.reference;
        const isKey = key.columns.some((column) => column.name === name);
        const isGenerated = source.columns.some((column) => column.name === name && column.generated !== 'none');
        if (!isKey && !isGenerated) return [];
        const message = `counter ${name} of ${label} is ${isKey ? 'part of the key' : 'a generated column'}`;
        return [{ path: [...list, position], message, hint: isKey ? 'Leave it out.' : 'Count in the columns that it is computed from.' }];
      }),
    ),
};

/** Length limits and scales aside; a domain may refuse a sum that its parts allow. */
function isSummable(type: string): boolean {
  return /^(smallint|integer|bigint|numeric(\(.*\))?)$/.test(type);
}
