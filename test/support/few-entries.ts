import { PLAN_FILE } from '../../src/plan/generated-files.ts';
import type { Plan, PlanSync } from '../../src/plan/plan.ts';
import { readPlan } from '../../src/plan/read-plan.ts';
import { writePlan } from '../../src/plan/write-plan.ts';

/**
 * From so many changes of a table on, rounds of the tests stage its rows: less than what the compiler writes (`FEW_ENTRIES`), so that both
 * ways are taken with few rows. A plan may always say less than what its statements can give.
 */
const FEW = 200;

/** Generated files with the plan that says so. */
export function withFewEntries(files: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const text = files.get(PLAN_FILE);
  if (text === undefined) return files;
  return new Map([...files, [PLAN_FILE, writePlan(fewer(readPlan(text, PLAN_FILE)))]]);
}

function fewer(plan: Plan): Plan {
  const less = (sync: PlanSync): PlanSync => (sync.mode === 'one-way' ? { ...sync, fewEntries: FEW } : sync);
  return { ...plan, syncs: Object.fromEntries(Object.entries(plan.syncs).map(([name, sync]) => [name, less(sync)])) };
}
