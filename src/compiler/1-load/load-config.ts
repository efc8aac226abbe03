import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import type { ReplicationConfig } from '../../index.ts';
import { SarrioError } from '../../plan/errors.ts';
import { checkConfig } from './check-config.ts';
import { type Evaluator, startEvaluator } from './evaluate/evaluator.ts';
import { type Evaluated, evaluateConfig, missing } from './evaluate-config.ts';
import { type Fault, locate, type SpanOf } from './fault.ts';
import { findConfig } from './find-config.ts';
import { type ExtractedHandlers, extractHandlers } from './handlers/extract-handlers.ts';
import { readFaults } from './read-faults.ts';
import { spansOf } from './span-of.ts';
import { lowerYaml } from './yaml/lower-yaml.ts';
import { publishedSchema } from './yaml/published-schema.ts';
import { readYaml } from './yaml/read-yaml.ts';

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

const TIMEOUT_MS = 10_000;

/** Evaluates and validates a config file, in a process of its own. Throws all of its faults together. Needs no database and no secret. */
export async function loadConfig(options: LoadOptions): Promise<LoadedConfig> {
  const { cwd, timeoutMs = TIMEOUT_MS } = options;
  const path = options.path === null ? findConfig(cwd) : resolve(cwd, options.path);
  const file = shownPath(path, cwd);
  if (/\.ya?ml$/.test(path)) return loadYaml({ path, file, cwd });
  const evaluator = options.evaluator ?? startEvaluator();
  try {
    const evaluated = await evaluateConfig({ path, file, evaluator, timeoutMs });
    return await checked(evaluated, { path, file, cwd });
  } finally {
    if (!options.evaluator) evaluator.close();
  }
}

/** A config of YAML: nothing is executed. It is held against the published schema, then read as one in TypeScript. */
function loadYaml({ path, file, cwd }: { path: string; file: string; cwd: string }): LoadedConfig {
  if (!existsSync(path)) throw missing(file);
  const { value: written, spanOf } = readYaml({ path, file });
  const { value, references } = lowerYaml(written);
  const { handlers, faults } = extractHandlers({ value, path, cwd, references, spanOf });
  const diagnostics = [...locate(checkConfig(written, publishedSchema()), spanOf), ...faults];
  if (diagnostics.length > 0) throw new SarrioError({ exit: 'invalid', diagnostics });
  return { config: value as ReplicationConfig, spanOf, handlers, files: [path] };
}

async function checked(evaluated: Evaluated, { path, file, cwd }: { path: string; file: string; cwd: string }): Promise<LoadedConfig> {
  const { value, reads } = evaluated;
  const spanOf = spansOf({ text: await readFile(path, 'utf8'), file });
  const { handlers, faults } = extractHandlers({ value, path, cwd });
  const located = locate([...unequalFaults(evaluated), ...checkConfig(value)], spanOf);
  const diagnostics = [...readFaults(reads, (each) => shownPath(each, cwd)), ...located, ...faults];
  if (diagnostics.length > 0) throw new SarrioError({ exit: 'invalid', diagnostics });
  return { config: value as ReplicationConfig, spanOf, handlers, files: [path, ...evaluated.files.filter((each) => each !== path)] };
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
