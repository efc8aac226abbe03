import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Evaluator } from '../compiler/1-load/evaluate/evaluator.ts';
import { type LoadedConfig, loadConfig } from '../compiler/1-load/load-config.ts';
import { LOCK_FILE, readIfPresent } from '../plan/generated-files.ts';
import { readLock } from '../plan/read-lock.ts';
import { LOCK_FORMAT, type SchemaLock } from '../plan/schema-lock.ts';
import { numberOption } from './change-options.ts';
import { parseDuration } from './duration.ts';
import type { VerbContext } from './verb.ts';

type Options = Readonly<Record<string, unknown>>;

/** Options of the verbs that read the config. No other verb ever executes it. */
export function addConfigOptions(command: Command): Command {
  return command
    .option('--config <file>', 'the config; by default replication.config.ts (or .js, .mjs, .cjs, .yaml)')
    .option('--config-timeout <duration>', 'how long reading the config may take', parseDuration, 30_000);
}

export async function readConfig(options: Options, context: VerbContext, evaluator?: Evaluator): Promise<LoadedConfig> {
  const path = typeof options['config'] === 'string' ? options['config'] : null;
  return loadConfig({ path, cwd: context.cwd, timeoutMs: numberOption(options, 'configTimeout'), ...(evaluator ? { evaluator } : {}) });
}

/** For somebody who reads config and lock again and again: one process for the config, and the lock as it was read last. */
export type ReadAgain = { readonly evaluator: Evaluator; lock: { readonly text: string; readonly value: SchemaLock } | null };

export type Inputs = { readonly loaded: LoadedConfig; readonly lock: SchemaLock; readonly compiler: typeof import('../compiler/compile.ts') };

/** Config and schema lock, and what compiles them. All but the config is done while another process evaluates it; the config's faults come first. */
export async function readInputs(options: Options, context: VerbContext, again?: ReadAgain): Promise<Inputs> {
  const loading = readConfig(options, context, again?.evaluator);
  const loadingCompiler = import('../compiler/compile.ts');
  const reading = readLockOf(options, context, again).then(async (value) => {
    (await loadingCompiler).typeFiles(value);
    return value;
  });
  const [loaded, lock] = await Promise.allSettled([loading, reading]);
  if (loaded.status === 'rejected') throw loaded.reason;
  if (lock.status === 'rejected') throw lock.reason;
  return { loaded: loaded.value, lock: lock.value, compiler: await loadingCompiler };
}

/** No lock at all is an empty one: then a rule names every database that was not pulled, with its place in the config. */
export async function readLockOf(options: Options, context: VerbContext, again?: ReadAgain): Promise<SchemaLock> {
  const dir = String(options['generated']);
  const text = await readIfPresent(resolve(context.cwd, dir, LOCK_FILE));
  if (text === null) return { format: LOCK_FORMAT, databases: {} };
  if (again?.lock?.text === text) return again.lock.value;
  const value = readLock(text, `${dir}/${LOCK_FILE}`);
  if (again) again.lock = { text, value };
  return value;
}
