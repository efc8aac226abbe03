import type { ModelColumn } from '../2-model/model.ts';
import type { PlanColumn } from '../../plan/plan-column.ts';

/** A flowing column as the plan says it. */
export function planColumn({ target, from }: ModelColumn): PlanColumn {
  return { name: target, from: from.kind === 'column' ? { column: from.column.name } : { expression: from.expression } };
}
