import { contentHash } from './canonical.ts';
import type { Recall } from './recall.ts';
import type { Plan } from './plan.ts';

const known = new WeakMap<Plan, string>();

/** The content hash of a plan. Of a large one it takes as long as reading it, and is asked for more than once. */
export function planHash(plan: Plan, recall?: Recall): string {
  const hash = known.get(plan) ?? contentHash(plan, recall);
  known.set(plan, hash);
  return hash;
}
