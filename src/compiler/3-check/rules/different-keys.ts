import { displayName } from '../../../sql/quote.ts';
import { capturedTables, type PlacedTable, type Rule } from '../rule.ts';

/** SAR212. */
export const differentKeys: Rule = {
  code: 'SAR212',
  severity: 'error',
  summary: 'one table has different keys in two syncs',
  explanation: 'A table is captured once for all syncs of a source, and its delta table holds one key.',
  example: "key: 'orders_pkey' in one sync, key: 'orders_code' in another",
  cure: 'Give the table the same key in both.',
  run: (input) => {
    const first = new Map<string, PlacedTable>();
    return capturedTables(input).flatMap((placed) => {
      const { table, flow, path } = placed;
      const identity = JSON.stringify([flow.source, table.source.schema, table.source.name]);
      const other = first.get(identity);
      if (!other) first.set(identity, placed);
      if (!other || other.table.key.name === table.key.name) return [];
      const message = `${displayName(table.source)} has the key ${table.key.name} here and ${other.table.key.name} in sync '${other.sync.name}'`;
      return [{ path, message, hint: 'Choose the same key in both.' }];
    });
  },
};
