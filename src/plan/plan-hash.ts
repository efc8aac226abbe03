import type { Plan } from './plan.ts';
import { printPlan } from './print-plan.ts';

const known = new WeakMap<Plan, string>();

/** What tells a plan from every other one: the checksum that stands in its file. */
export function planHash(plan: Plan): string {
  return known.get(plan) ?? rememberHash(plan, printPlan(plan).checksum);
}

/** For who has read or printed the plan: of a large one the checksum takes as long as that, and is asked for more than once. */
export function rememberHash(plan: Plan, checksum: string): string {
  known.set(plan, checksum);
  return checksum;
}
