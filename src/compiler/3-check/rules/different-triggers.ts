import { displayName } from '../../../sql/quote.ts';
import { capturedTables, type PlacedTable, type Rule } from '../rule.ts';

/** SAR247. */
export const differentTriggers: Rule = {
  code: 'SAR247',
  severity: 'error',
  summary: 'one table has different captureTriggers in two syncs',
  explanation: 'A table is captured once for all syncs of a source, so its triggers fire for all of them alike.',
  example: "captureTriggers: 'always' for a table in one sync only",
  cure: 'Say the same in both.',
  run: (input) => {
    const first = new Map<string, PlacedTable>();
    return capturedTables(input).flatMap((placed) => {
      const { table, flow, path } = placed;
      const identity = JSON.stringify([flow.source, table.source.schema, table.source.name]);
      const other = first.get(identity);
      if (!other) first.set(identity, placed);
      if (!other || other.table.captureTriggers === table.captureTriggers) return [];
      const message = `${displayName(table.source)} has captureTriggers '${table.captureTriggers}' here and '${other.table.captureTriggers}' in sync '${other.sync.name}'`;
      return [{ path, message, hint: 'Choose the same in both.' }];
    });
  },
};
