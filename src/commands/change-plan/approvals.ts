import type { Diagnostic } from '../../plan/diagnostic.ts';
import { type Approval, type Hazard, hazardName, refusedApproval } from '../../plan/hazards.ts';
import type { Plan } from '../../plan/plan.ts';
import type { Step } from '../../runner/6-diff/step.ts';

/** Who approves: the config, whose approvals end with a day, and this run. */
export type Approvals = { readonly configured: readonly Approval[]; readonly allowed: ReadonlySet<string>; readonly today: string };

/** A hazard with what it takes: where it is, and who approved it, or why nobody did. */
export type JudgedHazard = Hazard & {
  readonly name: string;
  readonly database: string;
  readonly approvedBy: 'config' | 'run' | null;
  readonly reason: string | null;
};

export function approvalsOf(plan: Plan, { allowed, today }: { allowed: readonly string[]; today: string }): Approvals {
  return { configured: plan.approvals ?? [], allowed: new Set(allowed), today };
}

/** Every hazard of the steps, each once for a database, with the first evidence of it. */
export function judgeHazards(steps: readonly Step[], approvals: Approvals): readonly JudgedHazard[] {
  const found = new Map<string, JudgedHazard>();
  for (const { database, hazards } of steps) {
    for (const hazard of hazards) {
      const name = hazardName(hazard);
      const key = `${database} ${name}`;
      if (!found.has(key)) found.set(key, { ...hazard, name, database, ...judge(hazard, approvals) });
    }
  }
  return [...found.values()];
}

function judge(hazard: Hazard, { configured, allowed, today }: Approvals): Pick<JudgedHazard, 'approvedBy' | 'reason'> {
  if (allowed.has(hazardName(hazard))) return { approvedBy: 'run', reason: null };
  const same = configured.filter((approval) => hazardName({ code: approval.hazard, object: approval.object }) === hazardName(hazard));
  const refusals = same.map((approval) => refusedApproval(approval, hazard, today));
  const covering = refusals.indexOf(null);
  if (covering >= 0) return { approvedBy: 'config', reason: same[covering]?.reason ?? null };
  return { approvedBy: null, reason: refusals[0] ?? null };
}

/** The entry of `approve` that would let a hazard pass for a month. */
export function approveEntry({ code, object }: Pick<Hazard, 'code' | 'object'>, today: string): string {
  const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  return `{ hazard: ${quoted(code)}, object: ${quoted(object)}, reason: '…', expires: '${monthAfter(today)}' }`;
}

/** One fault for each hazard that nobody has approved. */
export function hazardFaults(hazards: readonly JudgedHazard[], today: string): readonly Diagnostic[] {
  return hazards
    .filter(({ approvedBy }) => approvedBy === null)
    .map((hazard) => ({
      code: 'SAR502',
      severity: 'error',
      message: `${hazard.name} is not approved: ${hazard.evidence}${hazard.reason === null ? '' : ` (${hazard.reason})`}`,
      hint: `If that is meant: --allow '${hazard.name}', or in the config: approve: [${approveEntry(hazard, today)}]`,
      span: null,
      where: `database ${hazard.database}`,
    }));
}

function monthAfter(day: string): string {
  const date = new Date(`${day}T00:00:00Z`);
  date.setUTCDate(date.getUTCDate() + 30);
  return date.toISOString().slice(0, 10);
}
