import type { ColumnSchema, TableSchema } from '../../plan/schema-lock.ts';
import { displayName } from '../../sql/quote.ts';
import type { ModelColumn } from '../2-model/model.ts';
import { type CheckInput, oneWayTables, type PlacedTable } from './rule.ts';

/** A table of a sync together with one of its target tables, as rules about columns see it. */
export type Pair = PlacedTable & { readonly database: string; readonly target: TableSchema; readonly targetLabel: string };

/** Every table of one-way syncs with every target table that the lock knows. Members of a multi-master sync must be alike, which has rules of its own. */
export function pairs(input: CheckInput): readonly Pair[] {
  const found = known.get(input) ?? pairsOf(input);
  known.set(input, found);
  return found;
}

/** Several rules ask for them. */
const known = new WeakMap<CheckInput, readonly Pair[]>();

function pairsOf(input: CheckInput): readonly Pair[] {
  return oneWayTables(input).flatMap((placed) =>
    Object.entries(placed.table.targets).map(([database, target]) => {
      return { ...placed, database, target, targetLabel: `${displayName(target)} in target '${database}'` };
    }),
  );
}

/** The column of a target that a flowing column is written to. */
export function targetColumn(target: TableSchema, column: ModelColumn): ColumnSchema | undefined {
  return target.columns.find(({ name }) => name === column.target);
}
