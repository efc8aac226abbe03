import { type Flow, namedFlows } from '../../plan/flows.ts';
import type { Plan, PlanTable } from '../../plan/plan.ts';
import { displayName } from '../../sql/quote.ts';

/** One table of one sync as it arrives in a target. `isCopied`: the initial copy of the target comes from this source. */
export type Arrival = { readonly sync: string; readonly source: string; readonly table: PlanTable; readonly planned: Flow; readonly isCopied: boolean };

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

/** A statement that tries the row filter and the computed columns of a table of a source. */
export type Expression = { readonly sync: string; readonly table: string; readonly check: string };

/** Such statements of all syncs that read a database, each once. */
export function expressions(plan: Plan, database: string): readonly Expression[] {
  return [...capturedExpressions(plan, database), ...copiedExpressions(plan, database)];
}

function copiedExpressions(plan: Plan, database: string): readonly Expression[] {
  return Object.entries(plan.syncs).flatMap(([sync, planned]) => {
    if (planned.mode !== 'full-copy' || planned.source !== database) return [];
    return planned.tables.flatMap(({ source, check }) => (check === null ? [] : [{ sync, table: displayName(source), check }]));
  });
}

function capturedExpressions(plan: Plan, database: string): readonly Expression[] {
  return namedFlows(plan.syncs)
    .filter(({ flow }) => flow.source === database)
    .flatMap(({ sync, flow }) =>
      flow.tables.flatMap(({ source, routes }) => {
        const check = routes[0]?.read.check ?? null;
        return check === null ? [] : [{ sync, table: displayName(source), check }];
      }),
    );
}
