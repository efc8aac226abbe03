import { displayName } from '../../../sql/quote.ts';
import { placedTables, type PlacedTable, type Rule } from '../rule.ts';

/** SAR274. */
export const differentTruncate: Rule = {
  code: 'SAR274',
  severity: 'error',
  summary: 'one table has different truncate settings in two multi-master syncs',
  explanation: 'A table is captured once for all syncs of a database, so a TRUNCATE does one thing.',
  example: "truncate: 'refuse' for a table in one sync only",
  cure: 'Say the same in both.',
  run: (input) => {
    const first = new Map<string, PlacedTable>();
    return placedTables(input).flatMap((placed) => {
      const { table, flow, path } = placed;
      if (table.truncate === null) return [];
      const identity = JSON.stringify([flow.source, table.source.schema, table.source.name]);
      const other = first.get(identity);
      if (!other) first.set(identity, placed);
      if (!other || other.table.truncate === table.truncate) return [];
      const message = `${displayName(table.source)} has truncate '${table.truncate}' here and '${other.table.truncate}' in sync '${other.sync.name}'`;
      return [{ path, message, hint: 'Choose the same in both.' }];
    });
  },
};
