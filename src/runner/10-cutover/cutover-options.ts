import type { Plan, PlanOneWay } from '../../plan/plan.ts';
import type { Clock } from '../clock.ts';
import type { Failpoint } from '../failpoint.ts';
import type { SessionRole } from '../postgres/session-settings.sql.ts';
import type { Session } from '../postgres/session.ts';
import type { CutoverLog } from './steps.ts';

export type CutoverOptions = {
  readonly plan: Plan;
  readonly files: ReadonlyMap<string, string>;
  readonly sync: string;
  readonly planned: PlanOneWay;
  /** The target that takes over. */
  readonly target: string;
  readonly connect: (database: string, role: SessionRole) => Promise<Session>;
  /** Who asks, for the record. */
  readonly by: string;
  /** Stop before the target is opened, so that the reverse stream can be put in place first. */
  readonly hold: boolean;
  /** Longest wait for tables to be free, and for what is pending to arrive. */
  readonly waitMs: number;
  readonly waitLockMs: number;
  readonly clock: Clock;
  readonly log: CutoverLog;
  readonly failpoint: Failpoint;
  readonly signal: AbortSignal;
};

/** With a session to each end, and the project's lock held in both. */
export type CuttingOver = CutoverOptions & { readonly atSource: Session; readonly atTarget: Session };
