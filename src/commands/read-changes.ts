import type { Diagnostic } from '../plan/diagnostic.ts';
import type { Generated } from '../plan/generated-files.ts';
import type { Plan } from '../plan/plan.ts';
import { checkDatabases, LIVE_CHECKS, QUESTION_CHECKS, REMOVAL_CHECKS } from '../runner/5-inspect/checks/checks.ts';
import { inspectDatabases } from '../runner/5-inspect/inspect.ts';
import type { Inspections } from '../runner/5-inspect/inspection.ts';
import type { LiveDatabase } from '../runner/5-inspect/live-database.ts';
import { blockFinder } from '../runner/6-diff/blocks.ts';
import { diff, diffDestroy, emptyPlanFaults } from '../runner/6-diff/diff.ts';
import type { ChangePlan } from '../runner/6-diff/step.ts';
import type { Session } from '../runner/postgres/session.ts';

type Sessions = ReadonlyMap<string, Session>;

/** What the databases need, and what forbids it (errors) or should be known (warnings). */
export type Changes = { readonly changePlan: ChangePlan; readonly diagnostics: readonly Diagnostic[] };

/** Compares the generated plan with the live databases, for somebody who is to make the changes. */
export async function readChanges(generated: Generated, sessions: Sessions, checks = LIVE_CHECKS): Promise<Changes> {
  const { plan } = generated;
  const { lives, changePlan, faults } = await readState(generated, sessions, checks);
  return { changePlan, diagnostics: [...emptyPlanFaults(plan, lives), ...faults, ...changePlan.warnings] };
}

/** The same for somebody who only asks, who may be the plan's reader. */
export function readPlanned(generated: Generated, sessions: Sessions): Promise<Changes> {
  return readChanges(generated, sessions, QUESTION_CHECKS);
}

/** The changes with what they were made of. */
export type State = { readonly lives: ReadonlyMap<string, LiveDatabase>; readonly changePlan: ChangePlan; readonly faults: readonly Diagnostic[] };

export async function readState({ plan, files }: Generated, sessions: Sessions, checks = LIVE_CHECKS): Promise<State> {
  const inspections = await inspectDatabases({ plan, sessions });
  const lives = livesOf(inspections);
  return { lives, changePlan: diff({ plan, lives, blockOf: blockFinder(files) }), faults: checkDatabases(plan, inspections, checks) };
}

/** What of this project stands in the databases, as steps that remove it. */
export async function readRemoval(plan: Plan, sessions: Sessions): Promise<Changes> {
  const inspections = await inspectDatabases({ plan, sessions, countAll: true });
  const changePlan = diffDestroy({ plan, lives: livesOf(inspections) });
  return { changePlan, diagnostics: [...checkDatabases(plan, inspections, REMOVAL_CHECKS), ...changePlan.warnings] };
}

function livesOf(inspections: Inspections): ReadonlyMap<string, LiveDatabase> {
  return new Map([...inspections].map(([database, { live }]) => [database, live]));
}
