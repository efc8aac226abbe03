import { type Flow, flowsOf, namedFlows } from '../../plan/flows.ts';
import type { Plan, PlanTable, TableShape } from '../../plan/plan.ts';
import { displayName, type QualifiedName } from '../../sql/quote.ts';

/** A user's table in one database, and what the plan does with it. */
export type PlannedTable = { readonly table: QualifiedName; readonly display: string; readonly shape: TableShape };

/** One table of one sync as it arrives in a target. `isCopied`: the initial copy of the target comes from this source. */
export type Arrival = { readonly sync: string; readonly source: string; readonly table: PlanTable; readonly planned: Flow; readonly isCopied: boolean };

/** The user's tables that the plan speaks of in a database, each once, ordered by display name. */
export function plannedTables(plan: Plan, database: string): readonly PlannedTable[] {
  const shapes = plan.databases[database]?.shapes ?? {};
  const found = new Map<string, PlannedTable>();
  for (const flow of Object.values(plan.syncs).flatMap(flowsOf)) {
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

/** The tables that arrive in a database, by sync. */
export function arrivals(plan: Plan, database: string): readonly Arrival[] {
  return namedFlows(plan.syncs)
    .filter(({ flow }) => flow.targets.includes(database))
    .flatMap(({ sync, flow }) => {
      const isCopied = flow.mode === 'one-way' || flow.source === seedOf(plan, sync);
      return flow.tables.map((table) => ({ sync, source: flow.source, table, planned: flow, isCopied }));
    });
}

/** The first member of a multi-master sync: its rows go to those that join. */
function seedOf(plan: Plan, name: string): string | null {
  const sync = plan.syncs[name];
  return sync?.mode === 'multi-master' ? (sync.members[0] ?? null) : null;
}

/** Statements that try the row filters and computed columns of a source, each once. */
export function expressions(plan: Plan, database: string): readonly { readonly sync: string; readonly table: string; readonly check: string }[] {
  return namedFlows(plan.syncs)
    .filter(({ flow }) => flow.source === database)
    .flatMap(({ sync, flow }) =>
      flow.tables.flatMap(({ source, routes }) => {
        const check = routes[0]?.read.check ?? null;
        return check === null ? [] : [{ sync, table: displayName(source), check }];
      }),
    );
}
