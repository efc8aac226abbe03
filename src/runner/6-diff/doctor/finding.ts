import type { Plan } from '../../../plan/plan.ts';
import type { Inspection } from '../../5-inspect/inspection.ts';
import type { Health } from './read-health.ts';

/** What a check says of one database. Everything but `ok` is a finding: `problem` breaks replication or soon will, `warning` costs something. */
export type Finding = {
  readonly check: string;
  readonly database: string;
  readonly result: 'ok' | 'warning' | 'problem';
  readonly evidence: string;
  /** What to run or to do; null for what is well. */
  readonly cure: string | null;
};

/** All that is known of the databases that could be asked. */
export type Patient = { readonly plan: Plan; readonly databases: ReadonlyMap<string, { readonly inspection: Inspection; readonly health: Health }> };

/** A question that is asked of every database. Pure: everything was read before. */
export type DoctorCheck = {
  readonly check: string;
  readonly ok: string;
  readonly run: (patient: Patient, database: string) => readonly Omit<Finding, 'check' | 'database'>[];
};
