import type { BacklogBudget } from './backlog-budget.ts';
import type { PlanCopy } from './plan-copy.ts';
import type { PlanGuard } from './plan-guard.ts';
import type { Schedule } from './schedule.ts';

/** Fields of a sync that an environment replaces, whole. The runner reads them; no statement holds any of them. */
export type PlanNumbers = {
  readonly maxBacklog?: BacklogBudget;
  readonly copy?: PlanCopy;
  readonly guard?: PlanGuard;
  readonly maxClockSkewMs?: number;
  readonly keepConflictsHours?: number;
  readonly schedule?: Schedule;
  readonly lockTimeoutMs?: number;
};

/** Where the databases are in one environment, and what is another number there. */
export type PlanEnvironment = {
  /** Every database of the plan, with where its connection string comes from. */
  readonly databases: Readonly<Record<string, { readonly env: string }>>;
  readonly syncs?: Readonly<Record<string, PlanNumbers>>;
};
