import { existsSync, readFileSync } from 'node:fs';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import type { ReplicationConfig } from '../../index.ts';
import type { Diagnostic } from '../../plan/diagnostic.ts';
import { SarrioError } from '../../plan/errors.ts';
import { checkConfig, checkOf } from './check-config.ts';
import { type Evaluator, startEvaluator } from './evaluate/evaluator.ts';
import { type Evaluated, evaluateConfig, missing } from './evaluate-config.ts';
import { type Fault, locate, type SpanOf } from './fault.ts';
import { findConfig } from './find-config.ts';
import type { ExtractedHandlers, ExtractOptions } from './handlers/extract-handlers.ts';
import { handlerPlaces } from './handlers/handler-places.ts';
import { readFaults } from './read-faults.ts';
import { spansOf } from './span-of.ts';
import { tsMorph } from './ts-morph.ts';

/** The config as a value, where its parts stand, and the functions in it as files. */
export type LoadedConfig = {
  readonly config: ReplicationConfig;
  readonly spanOf: SpanOf;
  readonly handlers: ExtractedHandlers;
  /** Every file of the user's that it was made of, the config first. */
  readonly files: readonly string[];
};

export type LoadOptions = {
  /** Null: the one file in `cwd` that has a config's name. */
  readonly path: string | null;
  readonly cwd: string;
  readonly timeoutMs?: number;
  /** One that is used again; without it a process is made for this config alone. */
  readonly evaluator?: Evaluator;
};

const TIMEOUT_MS = 30_000;

/** Evaluates and validates a config file, in a process of its own. Throws all of its faults together. Needs no database and no secret. */
export async function loadConfig(options: LoadOptions): Promise<LoadedConfig> {
  const { cwd, timeoutMs = TIMEOUT_MS } = options;
  const path = options.path === null ? findConfig(cwd) : resolve(cwd, options.path);
  const file = shownPath(path, cwd);
  if (/\.ya?ml$/.test(path)) return loadYaml({ path, file, cwd });
  const evaluator = options.evaluator ?? startEvaluator();
  try {
    const evaluating = evaluateConfig({ path, file, evaluator, timeoutMs });
    const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
    // While the other process is busy. The second one is a guess: whoever needs it and was not expected to, loads it then.
    checkOf();
    if (/=>|\bfunction\b/.test(text)) tsMorph();
    return await checked(await evaluating, { path, file, cwd, text });
  } finally {
    if (!options.evaluator) evaluator.close();
  }
}

/** A config of YAML: nothing is executed. It is held against the published schema, then read as one in TypeScript. */
async function loadYaml({ path, file, cwd }: { path: string; file: string; cwd: string }): Promise<LoadedConfig> {
  if (!existsSync(path)) throw missing(file);
  const { readYaml } = await import('./yaml/read-yaml.ts');
  const { lowerYaml } = await import('./yaml/lower-yaml.ts');
  const { publishedSchema } = await import('./yaml/published-schema.ts');
  const { value: written, spanOf } = readYaml({ path, file });
  const { value, references } = lowerYaml(written);
  const { handlers, faults } = await handlersOf({ value, path, cwd, references, spanOf });
  const diagnostics = [...locate(checkConfig(written, publishedSchema()), spanOf), ...faults];
  if (diagnostics.length > 0) throw new SarrioError({ exit: 'invalid', diagnostics });
  return { config: value as ReplicationConfig, spanOf, handlers, files: [path] };
}

type ConfigFile = { readonly path: string; readonly file: string; readonly cwd: string; readonly text: string };

async function checked(evaluated: Evaluated, { path, file, cwd, text }: ConfigFile): Promise<LoadedConfig> {
  const { value, reads } = evaluated;
  const spanOf = spansOf({ text, file });
  const { handlers, faults } = await handlersOf({ value, path, cwd });
  const located = locate([...unequalFaults(evaluated), ...checkConfig(value)], spanOf);
  const diagnostics = [...readFaults(reads, (each) => shownPath(each, cwd)), ...located, ...faults];
  if (diagnostics.length > 0) throw new SarrioError({ exit: 'invalid', diagnostics });
  return { config: value as ReplicationConfig, spanOf, handlers, files: [path, ...evaluated.files.filter((each) => each !== path)] };
}

/** What reads functions brings all of TypeScript along, so it is loaded for a config that has any. */
async function handlersOf(options: ExtractOptions): Promise<{ handlers: ExtractedHandlers; faults: readonly Diagnostic[] }> {
  if (handlerPlaces(options.value).length === 0) return { handlers: new Map(), faults: [] };
  const { extractHandlers } = await import('./handlers/extract-handlers.ts');
  return extractHandlers(options);
}

/** What was read of the surroundings explains why it is unequal; then that is said, and not this. */
function unequalFaults({ unequal, reads }: Evaluated): readonly Fault[] {
  if (unequal === null || reads.length > 0) return [];
  const message = 'the config is another one each time it is read: this differs between two time zones and locales';
  const hint = 'Let it depend on its own text alone: compare by one < other instead of localeCompare, and read nothing that differs.';
  return [{ code: 'SAR109', severity: 'error', message, hint, path: unequal }];
}

/** Relative to where the user stands, the form that editors and CI open. */
function shownPath(path: string, cwd: string): string {
  const shown = relative(cwd, path);
  return (shown === '' || isAbsolute(shown) ? path : shown).split(sep).join('/');
}
