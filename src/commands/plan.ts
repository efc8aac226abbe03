import { loadGenerated } from '../plan/generated-files.ts';
import { systemClock } from '../runner/clock.ts';
import { addWaitLock, generatedDir, numberOption } from './change-options.ts';
import { applyPrinter } from './print-apply.ts';
import { changePlanData, printChangePlan } from './print-change-plan.ts';
import { readChanges } from './read-changes.ts';
import type { Verb } from './verb.ts';
import { withDatabases } from './with-databases.ts';

/** `sarrio plan`: what apply would do. Changes nothing. */
export const verb: Verb = {
  configure: (command) => {
    addWaitLock(command)
      .option('--exit-code', 'exit with 2 when there is something to do')
      .option('--verbose', 'name every object that would be made, not only their number');
  },
  run: async (options, context) => {
    const generated = await loadGenerated(generatedDir(options, context));
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
    const { changePlan, diagnostics } = await withDatabases(surroundings, (sessions) => readChanges(generated, sessions));
    const isRefused = diagnostics.some(({ severity }) => severity === 'error');
    const differs = options['exitCode'] === true && changePlan.steps.length > 0;
    return {
      exit: isRefused ? 'refused' : differs ? 'differs' : 'ok',
      data: changePlanData(changePlan),
      diagnostics,
      text: printChangePlan(changePlan, { everyObject: options['verbose'] === true }),
    };
  },
};
