import { failure } from '../plan/errors.ts';
import type { Plan, PlanSync } from '../plan/plan.ts';

/** A sync of the plan by its name. */
export function plannedSync(plan: Plan, name: string): PlanSync {
  const sync = plan.syncs[name];
  if (sync) return sync;
  throw failure('invalid', { code: 'SAR609', message: `the plan has no sync ${name}`, hint: `It has: ${Object.keys(plan.syncs).join(', ')}` });
}
