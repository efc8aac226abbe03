import type { Plan, PlanSync, PlanTable, TableShape } from '../../plan/plan.ts';
import { displayName, type QualifiedName } from '../../sql/quote.ts';

/** A user's table in one database, and what the plan does with it. */
export type PlannedTable = { readonly table: QualifiedName; readonly display: string; readonly shape: TableShape };

/** One table of one sync as it arrives in a target. */
export type Arrival = { readonly sync: string; readonly source: string; readonly table: PlanTable; readonly planned: PlanSync };

/** The user's tables that the plan speaks of in a database, each once, ordered by display name. */
export function plannedTables(plan: Plan, database: string): readonly PlannedTable[] {
  const shapes = plan.databases[database]?.shapes ?? {};
  const found = new Map<string, PlannedTable>();
  for (const sync of Object.values(plan.syncs)) {
    for (const { source, target } of sync.tables) {
      const names = [...(sync.source === database ? [source] : []), ...(sync.targets.includes(database) ? [target] : [])];
      for (const table of names) {
        const display = displayName(table);
        const shape = shapes[display];
        if (shape) found.set(display, { table, display, shape });
      }
    }
  }
  return [...found.values()].sort((a, b) => (a.display < b.display ? -1 : 1));
}

/** The tables that arrive in a database, by sync. */
export function arrivals(plan: Plan, database: string): readonly Arrival[] {
  return Object.entries(plan.syncs)
    .filter(([, planned]) => planned.targets.includes(database))
    .flatMap(([sync, planned]) => planned.tables.map((table) => ({ sync, source: planned.source, table, planned })));
}

/** Statements that try the row filters and computed columns of a source, each once. */
export function expressions(plan: Plan, database: string): readonly { readonly sync: string; readonly table: string; readonly check: string }[] {
  return Object.entries(plan.syncs)
    .filter(([, { source }]) => source === database)
    .flatMap(([sync, { tables }]) =>
      tables.flatMap(({ source, routes }) => {
        const check = routes[0]?.read.check ?? null;
        return check === null ? [] : [{ sync, table: displayName(source), check }];
      }),
    );
}
