import type { Plan } from '../../../../plan/plan.ts';
import { displayName } from '../../../../sql/quote.ts';
import type { HandlerTable } from './handlers.ts';

/** The tables of a multi-master sync with a handler: for conflicts, for unique values that are taken twice, or for rows that a member does not take. */
export function handlerTables(plan: Plan, sync: string, hook: 'onConflict' | 'onUnique' | 'onException'): readonly HandlerTable[] {
  const found = plan.syncs[sync];
  if (found?.mode !== 'multi-master') return [];
  const shapes = plan.databases[found.members[0] ?? '']?.shapes ?? {};
  return found.tables.flatMap((each, ordinal): readonly HandlerTable[] => {
    const { source, key, columns, mask = [] } = each;
    const rule = { onConflict: each.rule, onUnique: each.unique, onException: each.exception }[hook];
    if (rule?.strategy !== 'handler') return [];
    const table = displayName(source);
    // Members have the same types (SAR265), so the first one speaks for all.
    const types = shapes[table]?.columns ?? {};
    const shape = { table, key, masked: mask, databases: found.members, columns: columns.map(({ name }) => ({ name, type: types[name] ?? 'text' })) };
    return [{ ordinal, rule, ...shape }];
  });
}
