import { configSyncs, type Rule } from '../rule.ts';

/** SAR112. */
export const emptySync: Rule = {
  code: 'SAR112',
  severity: 'error',
  summary: 'a sync has no tables',
  explanation: 'A sync without tables does nothing, and is more often a mistake than meant.',
  example: 'tables: []',
  cure: 'List the tables, or take the sync out.',
  run: (input) =>
    configSyncs(input).flatMap(([sync, { tables }]) => {
      if (tables.length > 0) return [];
      return [{ path: ['syncs', sync, 'tables'], message: `sync '${sync}' has no tables`, hint: "List tables, or a pattern such as 'public.*'." }];
    }),
};
