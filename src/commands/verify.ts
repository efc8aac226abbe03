import { InvalidArgumentError } from 'commander';
import { type ExitName, failure } from '../plan/errors.ts';
import { loadGenerated } from '../plan/generated-files.ts';
import { failpointFromEnv } from '../runner/failpoint.ts';
import { systemClock } from '../runner/clock.ts';
import { verify, type Verification } from '../runner/9-verify/verify.ts';
import { generatedDir, numberOption } from './change-options.ts';
import { parseAtLeastOne, parseCount } from './duration.ts';
import { databaseConnector } from './plan-databases.ts';
import { verificationText, verifyLine } from './print-verify.ts';
import type { Verb, VerbContext } from './verb.ts';
import type { RepairMode } from './repair-mode.ts';
import type { VerifyOptions } from '../runner/9-verify/verifying.ts';

/** `sarrio verify`: compares targets with their source while writes go on, down to keys and columns; repairs when told to. */
export const verb: Verb = {
  configure: (command) =>
    void command
      .option('--sync <name...>', 'only these syncs (default: all)')
      .option('--target <database...>', 'only these targets; a multi-master sync when one of them is a member')
      .option('--table <schema.table...>', 'only these tables, named as the source or as the target has them')
      .option('--sample <percent>', 'compare only so many percent of the keys', parsePercent, 100)
      .option('--jobs <count>', 'tables compared at the same time', parseAtLeastOne, 2)
      .option('--keys <count>', 'list at most so many keys of each table', parseCount, 20)
      .option('--repair', 'show what would be written to make the targets equal')
      .option('--from <member>', 'with --repair, between masters: the member whose rows are right')
      .option('--yes', 'with --repair: write it'),
  run: async (options, context) => {
    const { plan } = await loadGenerated(generatedDir(options, context));
    const mode = repairMode(options);
    const sample = numberOption(options, 'sample');
    const verification = await verify({
      ...verifyOptions(options, context),
      plan,
      connect: databaseConnector(plan, context),
      sample,
      repair: mode === 'written',
      wantsRepair: mode !== 'none',
    });
    return {
      exit: exitOf(verification),
      data: { sample, repair: mode, tables: verification.results, masters: verification.masters },
      diagnostics: verification.errors.flatMap(({ diagnostics }) => diagnostics),
      text: verificationText(verification, { sample, mode }),
    };
  },
};

function verifyOptions(
  options: Readonly<Record<string, unknown>>,
  context: VerbContext,
): Omit<VerifyOptions, 'plan' | 'connect' | 'sample' | 'repair' | 'wantsRepair'> {
  return {
    selection: { syncs: listOption(options['sync']), targets: listOption(options['target']), tables: listOption(options['table']) },
    jobs: numberOption(options, 'jobs'),
    limit: numberOption(options, 'keys'),
    from: typeof options['from'] === 'string' ? options['from'] : null,
    clock: systemClock,
    log: (event) => context.output.err(`${verifyLine(event)}\n`),
    failpoint: failpointFromEnv(context.env),
    signal: context.signal,
  };
}

function repairMode({ repair, yes }: Readonly<Record<string, unknown>>): RepairMode {
  if (repair === true) return yes === true ? 'written' : 'planned';
  if (yes !== true) return 'none';
  throw failure('invalid', { code: 'SAR703', message: '--yes approves a repair, but --repair was not given', hint: 'Run: sarrio verify --repair --yes' });
}

/** A difference is an answer, whatever else could not be answered. Then come errors, then tables that could not be compared at this moment. */
function exitOf({ results, masters, errors }: Verification): ExitName {
  const all = [...results, ...masters];
  if (all.some(({ state }) => state === 'differs')) return 'differs';
  const first = errors[0];
  if (first) return first.exit;
  return all.some(({ state }) => state === 'not-compared') ? 'partial' : 'ok';
}

function parsePercent(text: string): number {
  const percent = Number(text.replace(/%$/, ''));
  if (!/^\d+(\.\d+)?%?$/.test(text) || percent <= 0 || percent > 100) throw new InvalidArgumentError('Write a percentage above 0, up to 100.');
  return percent;
}

function listOption(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
