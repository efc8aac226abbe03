import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Option } from 'commander';
import type { Generated } from '../plan/generated-files.ts';
import { planHash } from '../plan/plan-hash.ts';
import type { ChangePlan } from '../runner/6-diff/step.ts';
import { systemClock, today } from '../runner/clock.ts';
import { approvalsOf, judgeHazards } from './change-plan/approvals.ts';
import { changePlanData } from './change-plan/change-plan-data.ts';
import { savedPlan } from './change-plan/change-plan-file.ts';
import { printSql } from './change-plan/print.sql.ts';
import { printMarkdown } from './change-plan/print-markdown.ts';
import { printChangePlan, type Shown } from './change-plan/print-text.ts';
import { addAllow, addWaitLock, environmentOf, listOption, loadNamed, numberOption, withSchemaOption } from './change-options.ts';
import { applyPrinter } from './print-apply.ts';
import { readPlanned } from './read-changes.ts';
import type { Verb } from './verb.ts';
import { withDatabases } from './with-databases.ts';
import { showSchema } from './with-schema/show-schema.ts';

type Options = Readonly<Record<string, unknown>>;

/** `sarrio plan`: what apply would do. Changes nothing. */
export const verb: Verb = {
  configure: (command) => {
    addAllow(addWaitLock(command))
      .addOption(new Option('--format <format>', 'what standard output holds').choices(['text', 'json', 'markdown', 'sql']).default('text'))
      .addOption(withSchemaOption('show what of generated/schema, which `pull --with-schema` has written, is still to be made'))
      .option('--out <file>', 'also write the change plan to a file, for `apply --plan`')
      .option('--environment <name>', 'where this is, for the heading of the Markdown (default: what --env says)')
      .option('--exit-code', 'exit with 2 when there is something to do, with 3 when that has a hazard which nobody has approved')
      .option('--verbose', 'name every object that would be made, not only their number');
  },
  run: async (options, context) => {
    if (options['withSchema'] === true) return showSchema(options, context);
    const generated = await loadNamed(options, context);
    const { plan } = generated;
    const log = applyPrinter(context.output);
    const surroundings = {
      plan,
      env: context.env,
      lock: 'shared',
      waitMs: numberOption(options, 'waitLock'),
      clock: systemClock,
      log,
      signal: context.signal,
    } as const;
    const { changePlan, diagnostics } = await withDatabases(surroundings, (sessions) => readPlanned(generated, sessions));
    if (typeof options['out'] === 'string') await writeFile(resolve(context.cwd, options['out']), savedPlan(changePlan));
    const hazards = judgeHazards(changePlan.steps, approvalsOf(plan, { allowed: listOption(options['allow']), today: today() }));
    const shown = { hazards, today: today(), everyObject: options['verbose'] === true };
    const isRefused = diagnostics.some(({ severity }) => severity === 'error') || (asksExit(options) && hazards.some(({ approvedBy }) => approvedBy === null));
    const differs = asksExit(options) && changePlan.steps.length > 0;
    return {
      exit: isRefused ? 'refused' : differs ? 'differs' : 'ok',
      data: changePlanData(changePlan, hazards),
      diagnostics,
      text: printed({ changePlan, shown, generated, options }),
    };
  },
};

function asksExit(options: Options): boolean {
  return options['exitCode'] === true;
}

function printed(parts: { changePlan: ChangePlan; shown: Shown; generated: Generated; options: Options }): string {
  const { changePlan, shown, generated, options } = parts;
  if (options['format'] === 'sql') return printSql(changePlan);
  if (options['format'] !== 'markdown') return printChangePlan(changePlan, shown);
  const environment = typeof options['environment'] === 'string' ? options['environment'] : environmentOf(options);
  return printMarkdown(changePlan, { ...shown, environment, planHash: planHash(generated.plan) });
}
