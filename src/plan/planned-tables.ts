import { displayName, type QualifiedName } from '../sql/quote.ts';
import { type Flow, flowsOf } from './flows.ts';
import type { Plan, PlanSync, PlanTable, TableShape } from './plan.ts';

/** A user's table in one database, and what the plan does with it. */
export type PlannedTable = { readonly table: QualifiedName; readonly display: string; readonly shape: TableShape };

/** The user's tables that the plan speaks of in a database, each once, ordered by display name. */
export function plannedTables(plan: Plan, database: string): readonly PlannedTable[] {
  const shapes = plan.databases[database]?.shapes ?? {};
  const found = new Map<string, PlannedTable>();
  for (const flow of Object.values(plan.syncs).flatMap(writesOf)) {
    for (const { source, target } of flow.tables) {
      const names = [...(flow.source === database ? [source] : []), ...(flow.targets.includes(database) ? [target] : [])];
      for (const table of names) {
        const display = displayName(table);
        const shape = shapes[display];
        if (shape) found.set(display, { table, display, shape });
      }
    }
  }
  return [...found.values()].sort((a, b) => (a.display < b.display ? -1 : 1));
}

type Writes = Pick<Flow, 'source' | 'targets'> & { readonly tables: readonly Pick<PlanTable, 'source' | 'target'>[] };

/** What a sync reads and writes, captured or not. */
function writesOf(sync: PlanSync): readonly Writes[] {
  return sync.mode === 'full-copy' ? [sync] : flowsOf(sync);
}
