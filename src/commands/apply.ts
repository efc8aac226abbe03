import type { Diagnostic } from '../plan/diagnostic.ts';
import { failure } from '../plan/errors.ts';
import { type Generated, loadGenerated } from '../plan/generated-files.ts';
import { applySteps } from '../runner/7-apply/apply-steps.ts';
import type { ApplyContext } from '../runner/7-apply/run-group.ts';
import { withoutSkipped } from '../runner/6-diff/diff-seals.ts';
import { type ChangePlan, hazardName } from '../runner/6-diff/step.ts';
import type { Session } from '../runner/postgres/session.ts';
import { addChangeOptions, applyContext, generatedDir, numberOption, refuseErrors } from './change-options.ts';
import { changePlanData, headline } from './print-change-plan.ts';
import { readChanges } from './read-changes.ts';
import type { Verb, VerbResult } from './verb.ts';
import { withDatabases } from './with-databases.ts';

type Approval = { readonly allowed: ReadonlySet<string>; readonly expected: string | null };

/** `sarrio apply`: makes the databases as the plan says, then proves it by planning again. */
export const verb: Verb = {
  configure: (command) => {
    addChangeOptions(command)
      .option('--allow <hazard>', 'approve one hazard by its name, e.g. drop-changes:sarrio.delta_public_orders (repeatable)', collect, [])
      .option('--expect <id>', 'apply only this change plan, as `sarrio plan` printed it');
  },
  run: async (options, context) => {
    const generated = await loadGenerated(generatedDir(options, context));
    const { plan } = generated;
    const applying = applyContext(plan, options, context);
    const approval = { allowed: new Set(listOption(options['allow'])), expected: typeof options['expect'] === 'string' ? options['expect'] : null };
    const surroundings = { ...applying, env: context.env, lock: 'exclusive', waitMs: numberOption(options, 'waitLock') } as const;
    return await withDatabases(surroundings, (sessions) => apply({ generated, sessions, applying, approval }));
  },
};

async function apply(options: {
  generated: Generated;
  sessions: ReadonlyMap<string, Session>;
  applying: ApplyContext;
  approval: Approval;
}): Promise<VerbResult> {
  const { generated, sessions, applying, approval } = options;
  const { changePlan, diagnostics } = await readChanges(generated, sessions);
  refuseErrors(diagnostics);
  refuseErrors([...expectationFaults(changePlan, approval), ...hazardFaults(changePlan, approval)]);
  const steps = withoutSkipped(changePlan.steps, approval.allowed);
  await applySteps({ ...changePlan, steps, sessions, context: applying });
  if (changePlan.steps.length > 0) refuseRest((await readChanges(generated, sessions)).changePlan);
  const done =
    changePlan.steps.length === 0
      ? 'Nothing to do: the databases are as the plan says.'
      : `Applied: ${headline(changePlan.steps, 'done')}; re-planned: nothing to do.`;
  return { exit: 'ok', data: changePlanData(changePlan), diagnostics, text: `${done}\nNext: sarrio run\n` };
}

function expectationFaults(changePlan: ChangePlan, { expected }: Approval): readonly Diagnostic[] {
  if (expected === null || expected === changePlan.id) return [];
  const message = `the change plan is no longer ${expected}: it is ${changePlan.id} (${headline(changePlan.steps) || 'nothing to do'})`;
  return [{ code: 'SAR503', severity: 'error', message, hint: 'Look at `sarrio plan` again and approve what it says now.', span: null, where: null }];
}

function hazardFaults(changePlan: ChangePlan, { allowed }: Approval): readonly Diagnostic[] {
  return changePlan.steps.flatMap(({ hazard, database, object, kind }) => {
    if (!hazard || allowed.has(hazardName(hazard))) return [];
    const message = `to ${kind} ${object.kind} ${object.name} would lose something: ${hazard.evidence}`;
    return [
      { code: 'SAR502', severity: 'error', message, hint: `If that is meant: --allow '${hazardName(hazard)}'`, span: null, where: `database ${database}` },
    ];
  });
}

/** The proof: nothing may be left to do. */
function refuseRest(rest: ChangePlan): void {
  const first = rest.steps[0];
  if (!first) return;
  throw failure('partial', {
    code: 'SAR507',
    where: `database ${first.database}`,
    message: `everything was applied, but planning again finds ${headline(rest.steps)}; the first is ${first.id}: ${first.reason}`,
    hint: 'Someone may be changing these objects at this moment. Run `sarrio plan`; if it stays like this, please report it.',
  });
}

function collect(value: string, previous: readonly string[]): readonly string[] {
  return [...previous, value];
}

function listOption(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
