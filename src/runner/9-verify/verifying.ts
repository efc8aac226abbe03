import type { Plan } from '../../plan/plan.ts';
import type { Clock } from '../clock.ts';
import type { Failpoint } from '../failpoint.ts';
import type { SessionRole } from '../postgres/session-settings.sql.ts';
import type { Session } from '../postgres/session.ts';
import type { Buckets } from '../8-round/comparing/buckets.ts';
import type { VerifyLog } from './verify-event.ts';
import type { Selection } from './selection.ts';

export type VerifyOptions = {
  readonly plan: Plan;
  readonly connect: (database: string, role: SessionRole) => Promise<Session>;
  readonly selection: Selection;
  /** Percent of the buckets; 100 is everything. */
  readonly sample: number;
  /** Tables compared at the same time. */
  readonly jobs: number;
  /** Keys listed for each table. */
  readonly limit: number;
  /** Write the differences after comparing. */
  readonly repair: boolean;
  /** Write them, or say what would be written. */
  readonly wantsRepair: boolean;
  /** Between masters: the member whose rows are right; null when nobody is named. */
  readonly from: string | null;
  readonly clock: Clock;
  readonly log: VerifyLog;
  readonly failpoint: Failpoint;
  readonly signal: AbortSignal;
};

/** What the workers share. */
export type Verifying = VerifyOptions & {
  readonly buckets: Buckets;
  /** Members that could not be reached, and why: they are not asked again for every table. */
  readonly unreachable: Map<string, string>;
};
