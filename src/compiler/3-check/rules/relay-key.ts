import { displayName } from '../../../sql/quote.ts';
import { targetNameOf } from '../../2-model/target-name.ts';
import { capturedTables, type PlacedTable, type Rule } from '../rule.ts';

/** SAR227. */
export const relayKey: Rule = {
  code: 'SAR227',
  severity: 'error',
  summary: 'a cascade changes its key on the way',
  explanation: 'Where a target table is itself the source of another sync, what arrives is recorded there by its key, so both syncs need the same key.',
  example: 'east -> middle by id, middle -> west by code',
  cure: 'Use the same key in both syncs.',
  run: (input) => {
    const placed = capturedTables(input);
    const readers = bySource(placed);
    return placed.flatMap(({ flow, table, path }) => {
      const arriving = table.key.columns.map(({ name }) => targetNameOf(table, name) ?? name).sort();
      return (readers.get(displayName(table.targetName)) ?? [])
        .filter((next) => flow.targets.includes(next.flow.source))
        .filter(
          (next) =>
            next.table.key.columns
              .map(({ name }) => name)
              .sort()
              .join() !== arriving.join(),
        )
        .map((next) => ({
          path,
          message: `${displayName(table.targetName)} arrives in ${next.flow.source} by the key (${arriving.join(', ')}), but sync '${next.sync.name}' reads it from there by another`,
          hint: 'Choose the same key columns in both syncs.',
        }));
    });
  },
};

function bySource(placed: readonly PlacedTable[]): ReadonlyMap<string, readonly PlacedTable[]> {
  const found = new Map<string, PlacedTable[]>();
  for (const each of placed) {
    const name = displayName(each.table.source);
    found.set(name, [...(found.get(name) ?? []), each]);
  }
  return found;
}
