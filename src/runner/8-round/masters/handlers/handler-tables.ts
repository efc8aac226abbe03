import type { HandlerShape } from '../../../../conflict/handlers/message.ts';
import type { Plan, PlanMasterTable } from '../../../../plan/plan.ts';
import { displayName } from '../../../../sql/quote.ts';
import type { HandlerTable } from './handlers.ts';

/** The tables of a multi-master sync with a handler: for conflicts, for unique values that are taken twice, or for rows that a member does not take. */
export function handlerTables(plan: Plan, sync: string, hook: 'onConflict' | 'onUnique' | 'onException'): readonly HandlerTable[] {
  return shapedTables(plan, sync).flatMap(({ table, shape }, ordinal): readonly HandlerTable[] => {
    const rule = { onConflict: table.rule, onUnique: table.unique, onException: table.exception }[hook];
    return rule?.strategy === 'handler' ? [{ ordinal, rule, ...shape }] : [];
  });
}

/** All tables of a multi-master sync, as handlers may speak of them. */
export function handlerShapes(plan: Plan, sync: string): readonly HandlerShape[] {
  return shapedTables(plan, sync).map(({ shape }) => shape);
}

function shapedTables(plan: Plan, sync: string): readonly { readonly table: PlanMasterTable; readonly shape: HandlerShape }[] {
  const found = plan.syncs[sync];
  if (found?.mode !== 'multi-master') return [];
  const shapes = plan.databases[found.members[0] ?? '']?.shapes ?? {};
  return found.tables.map((each) => {
    const { source, key, columns, mask = [] } = each;
    const table = displayName(source);
    // Members have the same types (SAR265), so the first one speaks for all.
    const types = shapes[table]?.columns ?? {};
    const typed = columns.map(({ name }) => ({ name, type: types[name] ?? 'text' }));
    return { table: each, shape: { table, key, masked: mask, databases: found.members, columns: typed } };
  });
}
