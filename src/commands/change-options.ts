import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { Diagnostic } from '../plan/diagnostic.ts';
import { SarrioError } from '../plan/errors.ts';
import { type Generated, loadBound } from '../plan/generated-files.ts';
import type { Plan } from '../plan/plan.ts';
import { systemClock } from '../runner/clock.ts';
import { failpointFromEnv } from '../runner/failpoint.ts';
import type { ApplyContext } from '../runner/7-apply/run-group.ts';
import { parseCount, parseDuration } from './duration.ts';
import { applyPrinter } from './print-apply.ts';
import type { VerbContext } from './verb.ts';

type Options = Readonly<Record<string, unknown>>;

/** `--wait-lock`, of every verb that takes the project's lock. */
export function addWaitLock(command: Command): Command {
  return command.option('--wait-lock <duration>', 'wait so long for another apply to finish', parseDuration, 10_000);
}

/** `--with-schema`, of the verbs that show and run what `pull --with-schema` has written. */
export function withSchemaOption(description: string): Option {
  return new Option('--with-schema', description).conflicts(['expect', 'plan', 'out', 'env']);
}

/** Options of the verbs that change databases. */
export function addChangeOptions(command: Command): Command {
  return addWaitLock(command)
    .option('--ddl-lock-timeout <duration>', 'longest wait for a lock on a table, and so for writers behind it', parseDuration, 1_000)
    .option('--ddl-retries <count>', 'how often a busy table is tried again', parseCount, 30);
}

/** `--allow`, of the verbs that speak of hazards. */
export function addAllow(command: Command): Command {
  const collect = (value: string, previous: readonly string[]): readonly string[] => [...previous, value];
  return command.option('--allow <hazard>', 'approve one hazard by its name, e.g. drop-changes:sarrio.delta_public_orders (repeatable)', collect, []);
}

/** An option that may be given several times. */
export function listOption(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

/** The generated folder as a path. */
export function generatedDir(options: Options, context: VerbContext): string {
  return resolve(context.cwd, String(options['generated'] ?? 'generated'));
}

/** The environment that `--env` names. */
export function environmentOf(options: Options): string | null {
  return typeof options['env'] === 'string' ? options['env'] : null;
}

/** What a verb works with that connects: the plan as it is in the environment that is named. */
export async function loadNamed(options: Options, context: VerbContext): Promise<Generated> {
  return loadBound(generatedDir(options, context), environmentOf(options));
}

/** An option that a parser above has made a number. */
export function numberOption(options: Options, name: string): number {
  const value = options[name];
  if (typeof value !== 'number') throw new Error(`option ${name} is not declared`);
  return value;
}

/** The surroundings of an apply or destroy, from the command line. */
export function applyContext(plan: Plan, options: Options, context: VerbContext): ApplyContext {
  return { plan, ...changeContext(options, context) };
}

/** The same for what needs no plan. */
export function changeContext(options: Options, context: VerbContext): Omit<ApplyContext, 'plan'> {
  return {
    clock: systemClock,
    log: applyPrinter(context.output),
    failpoint: failpointFromEnv(context.env),
    signal: context.signal,
    ddlLockTimeoutMs: numberOption(options, 'ddlLockTimeout'),
    ddlRetries: numberOption(options, 'ddlRetries'),
    random: Math.random,
  };
}

/** Stops before anything is changed when one of the diagnostics is an error. */
export function refuseErrors(diagnostics: readonly Diagnostic[]): void {
  if (diagnostics.some(({ severity }) => severity === 'error')) throw new SarrioError({ exit: 'refused', diagnostics });
}
