import type { ChangePlan } from '../../runner/6-diff/step.ts';
import type { JudgedHazard } from './approvals.ts';
import { stepCounts } from './print-text.ts';

/** A change plan for programs: the `data` of the envelope. */
export function changePlanData(changes: ChangePlan, hazards: readonly JudgedHazard[]): unknown {
  const steps = changes.steps.map(({ id, database, kind, object, group, lock, reason, sql, hazards: own, estimate }) => ({
    id,
    database,
    kind,
    object,
    group,
    lock,
    reason,
    sql,
    hazards: own,
    estimate,
  }));
  return { id: changes.id, project: changes.project, counts: stepCounts(changes.steps), hazards, steps, copies: changes.copies };
}
