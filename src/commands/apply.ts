import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { failure } from '../plan/errors.ts';
import type { Generated } from '../plan/generated-files.ts';
import { applySteps } from '../runner/7-apply/apply-steps.ts';
import type { ApplyContext } from '../runner/7-apply/run-group.ts';
import { withoutSkipped } from '../runner/6-diff/diff-seals.ts';
import type { ChangePlan } from '../runner/6-diff/step.ts';
import { systemClock, today } from '../runner/clock.ts';
import type { Session } from '../runner/postgres/session.ts';
import { type Approvals, approvalsOf, hazardFaults, judgeHazards } from './change-plan/approvals.ts';
import { changePlanData } from './change-plan/change-plan-data.ts';
import { type Expected, expectationFaults, readSavedPlan } from './change-plan/change-plan-file.ts';
import { headline } from './change-plan/print-text.ts';
import { addAllow, addChangeOptions, applyContext, listOption, loadNamed, numberOption, refuseErrors, withSchemaOption } from './change-options.ts';
import { reportLines } from './print-apply.ts';
import { readChanges } from './read-changes.ts';
import type { Verb, VerbContext, VerbResult } from './verb.ts';
import { withDatabases } from './with-databases.ts';
import { applySchema } from './with-schema/show-schema.ts';

type Options = Readonly<Record<string, unknown>>;

/** `sarrio apply`: makes the databases as the plan says, then proves it by planning again. */
export const verb: Verb = {
  configure: (command) => void addOptions(command),
  run: (options, context) => {
    const work = (log?: ApplyContext['log']): Promise<VerbResult> => {
      return options['withSchema'] === true ? applySchema(options, context, log) : applyGenerated(options, context, log);
    };
    return options['format'] === 'ndjson' ? reportLines({ output: context.output, clock: systemClock }, work) : work();
  },
};

function addOptions(command: Command): Command {
  return addAllow(addChangeOptions(command))
    .addOption(withSchemaOption('make the tables of generated/schema, which `pull --with-schema` has written, and nothing else'))
    .addOption(new Option('--expect <id>', 'apply only this change plan, as `sarrio plan` printed it').conflicts('plan'))
    .option('--plan <file>', 'apply only the change plan of this file: `plan --out`, or the comment of `plan --format markdown`')
    .addOption(new Option('--format <format>', 'ndjson: progress as JSON lines').choices(['text', 'json', 'ndjson']).default('text'));
}

async function applyGenerated(options: Options, context: VerbContext, log: ApplyContext['log'] | undefined): Promise<VerbResult> {
  const expected = await expectedPlan(options, context);
  const generated = await loadNamed(options, context);
  const { plan } = generated;
  const applying = { ...applyContext(plan, options, context), ...(log ? { log } : {}) };
  const approvals = approvalsOf(plan, { allowed: listOption(options['allow']), today: today() });
  const surroundings = { ...applying, env: context.env, lock: 'exclusive', waitMs: numberOption(options, 'waitLock') } as const;
  return await withDatabases(surroundings, (sessions) => apply({ generated, sessions, applying, approvals, expected }));
}

async function expectedPlan(options: Options, context: VerbContext): Promise<Expected | null> {
  const { expect, plan } = options;
  if (typeof expect === 'string') return { id: expect, steps: null };
  return typeof plan === 'string' ? await readSavedPlan(resolve(context.cwd, plan), plan) : null;
}

async function apply(options: {
  generated: Generated;
  sessions: ReadonlyMap<string, Session>;
  applying: ApplyContext;
  approvals: Approvals;
  expected: Expected | null;
}): Promise<VerbResult> {
  const { generated, sessions, applying, approvals, expected } = options;
  const { changePlan, diagnostics } = await readChanges(generated, sessions);
  refuseErrors(diagnostics);
  const hazards = judgeHazards(changePlan.steps, approvals);
  refuseErrors([...expectationFaults(changePlan, expected), ...hazardFaults(hazards, approvals.today)]);
  const steps = withoutSkipped(changePlan.steps, approvals.allowed);
  await applySteps({ ...changePlan, steps, sessions, context: applying });
  if (changePlan.steps.length > 0) refuseRest((await readChanges(generated, sessions)).changePlan);
  const done =
    changePlan.steps.length === 0
      ? 'Nothing to do: the databases are as the plan says.'
      : `Applied: ${headline(changePlan.steps, 'done')}; re-planned: nothing to do.`;
  return { exit: 'ok', data: changePlanData(changePlan, hazards), diagnostics, text: `${done}\nNext: sarrio run\n` };
}

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
