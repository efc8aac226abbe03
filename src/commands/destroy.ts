import { failure } from '../plan/errors.ts';
import { hazardName } from '../plan/hazards.ts';
import type { Plan } from '../plan/plan.ts';
import { applySteps } from '../runner/7-apply/apply-steps.ts';
import type { ApplyContext } from '../runner/7-apply/run-group.ts';
import type { ChangePlan } from '../runner/6-diff/step.ts';
import { today } from '../runner/clock.ts';
import type { Session } from '../runner/postgres/session.ts';
import { addChangeOptions, applyContext, loadNamed, numberOption, refuseErrors } from './change-options.ts';
import { approvalsOf, type JudgedHazard, judgeHazards } from './change-plan/approvals.ts';
import { changePlanData } from './change-plan/change-plan-data.ts';
import { headline, printChangePlan } from './change-plan/print-text.ts';
import { readRemoval } from './read-changes.ts';
import type { Verb, VerbResult } from './verb.ts';
import { withDatabases } from './with-databases.ts';

/** `sarrio destroy`: takes everything of ours out of the databases. The user's rows stay where they are. */
export const verb: Verb = {
  configure: (command) => {
    addChangeOptions(command)
      .option('--confirm <project>', 'the name of the project, as proof that it is meant')
      .option('--plan-only', 'show what would be removed, and remove nothing');
  },
  run: async (options, context) => {
    const { plan } = await loadNamed(options, context);
    const isPlanOnly = options['planOnly'] === true;
    if (!isPlanOnly) refuseUnconfirmed(plan, options['confirm']);
    const applying = applyContext(plan, options, context);
    const lock = isPlanOnly ? 'shared' : 'exclusive';
    const surroundings = { ...applying, env: context.env, lock, waitMs: numberOption(options, 'waitLock') } as const;
    return await withDatabases(surroundings, (sessions) => (isPlanOnly ? showRemoval(plan, sessions) : destroy({ plan, sessions, applying })));
  },
};

function refuseUnconfirmed(plan: Plan, confirmed: unknown): void {
  if (confirmed === plan.project) return;
  throw failure('refused', {
    code: 'SAR508',
    message:
      confirmed === undefined
        ? `destroy removes every object of project '${plan.project}' and the changes not yet replicated; it wants a confirmation`
        : `--confirm says '${String(confirmed)}', but the project is '${plan.project}'`,
    hint: `First see what would go: sarrio destroy --plan-only. Then: sarrio destroy --confirm ${plan.project}`,
  });
}

async function showRemoval(plan: Plan, sessions: ReadonlyMap<string, Session>): Promise<VerbResult> {
  const { changePlan, diagnostics } = await readRemoval(plan, sessions);
  const isRefused = diagnostics.some(({ severity }) => severity === 'error');
  const hazards = confirmed(plan, changePlan);
  const text = changePlan.steps.length === 0 ? nothingLeft(plan) : printChangePlan(changePlan, { hazards, today: today(), everyObject: false });
  return { exit: isRefused ? 'refused' : 'ok', data: changePlanData(changePlan, hazards), diagnostics, text };
}

async function destroy(options: { plan: Plan; sessions: ReadonlyMap<string, Session>; applying: ApplyContext }): Promise<VerbResult> {
  const { plan, sessions, applying } = options;
  const { changePlan, diagnostics } = await readRemoval(plan, sessions);
  refuseErrors(diagnostics);
  await applySteps({ ...changePlan, sessions, context: applying });
  refuseRest((await readRemoval(plan, sessions)).changePlan);
  const text =
    changePlan.steps.length === 0 ? nothingLeft(plan) : `Destroyed: ${headline(changePlan.steps, 'done')}. Nothing of project ${plan.project} is left.\n`;
  return { exit: 'ok', data: changePlanData(changePlan, confirmed(plan, changePlan)), diagnostics, text };
}

/** `--confirm` approves all of it at once: what goes is everything. */
function confirmed(plan: Plan, { steps }: ChangePlan): readonly JudgedHazard[] {
  const names = steps.flatMap(({ hazards }) => hazards.map(hazardName));
  return judgeHazards(steps, approvalsOf(plan, { allowed: names, today: today() }));
}

function nothingLeft(plan: Plan): string {
  return `Nothing to do: nothing of project ${plan.project} stands in its databases.\n`;
}

function refuseRest(rest: ChangePlan): void {
  const first = rest.steps[0];
  if (!first) return;
  throw failure('partial', {
    code: 'SAR507',
    where: `database ${first.database}`,
    message: `everything was removed, but looking again finds ${headline(rest.steps)}; the first is ${first.id}`,
    hint: 'Someone may be installing at this moment. Run the same command again.',
  });
}
