import type { PlanOneWay } from '../../plan/plan.ts';
import { displayName, type QualifiedName } from '../../sql/quote.ts';

/** The tables of a sync by their names at one of its ends, ordered, each once. */
export function tablesOf({ tables }: PlanOneWay, end: 'source' | 'target'): readonly QualifiedName[] {
  const named = new Map(tables.map((table) => [displayName(table[end]), table[end]]));
  return [...named].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, table]) => table);
}
