import type { Diagnostic } from '../plan/diagnostic.ts';
import { SarrioError } from '../plan/errors.ts';
import { PLAN_FILE, TYPES_FILE } from '../plan/generated-files.ts';
import type { Plan } from '../plan/plan.ts';
import type { SchemaLock } from '../plan/schema-lock.ts';
import { TOPOLOGY_FILE, topologyFile } from '../plan/topology-file.ts';
import { writePlan } from '../plan/write-plan.ts';
import { handlerRules } from '../plan/handler-files.ts';
import { anew, type Recall, recalling } from '../plan/recall.ts';
import { locate } from './1-load/fault.ts';
import type { ExtractedHandlers } from './1-load/handlers/extract-handlers.ts';
import { type LoadedConfig, type LoadOptions, loadConfig } from './1-load/load-config.ts';
import { buildModel } from './2-model/build-model.ts';
import type { Model } from './2-model/model.ts';
import { withSameParts } from './2-model/same-parts.ts';
import { checkModel } from './3-check/check-model.ts';
import { emit } from './4-emit/emit.ts';
import { emitSchemaTypes } from './4-emit/emit-schema-types.ts';

/** What compiling gives: the plan, every file under `generated/` by path (without the lock), and warnings. */
export type Compiled = { readonly plan: Plan; readonly files: ReadonlyMap<string, string>; readonly warnings: readonly Diagnostic[] };

/** The whole compiler: config and lock in, files out. Contacts nothing; the same input gives the same bytes. Throws all errors together. */
export async function compile({ lock, ...options }: LoadOptions & { lock: SchemaLock }): Promise<Compiled> {
  return compileConfig(await loadConfig(options), lock);
}

/** The handlers that the plan names, by path. */
function handlerFiles(plan: Plan, handlers: ExtractedHandlers): readonly (readonly [string, string])[] {
  const used = new Set(handlerRules(plan).map(({ file }) => file));
  return [...handlers.values()].filter(({ rule }) => used.has(rule.file)).map(({ rule, text }) => [rule.file, text]);
}

/** What one compilation leaves to the next: with it only what has changed is made again. The bytes are the same without. */
export type Memory = { readonly recall: Recall; before: Model | null };

export function newMemory(): Memory {
  return { recall: recalling(), before: null };
}

/** Phases 2 to 4, for a config that is loaded. */
export function compileConfig({ config, spanOf, handlers }: Omit<LoadedConfig, 'files'>, lock: SchemaLock, memory?: Memory): Compiled {
  const recall = memory?.recall ?? anew;
  const { model, places, faults } = withSameParts(buildModel(config, lock, handlers), memory?.before ?? null);
  const diagnostics = locate([...faults, ...checkModel({ config, lock, model, places })], spanOf);
  if (diagnostics.some(({ severity }) => severity === 'error')) throw new SarrioError({ exit: 'invalid', diagnostics });
  if (memory) memory.before = model;
  const { plan, files } = emit(model, recall);
  return {
    plan,
    files: new Map([[PLAN_FILE, writePlan(plan, recall)], [TOPOLOGY_FILE, topologyFile(plan)], ...typeFiles(lock), ...files, ...handlerFiles(plan, handlers)]),
    warnings: diagnostics,
  };
}

/** `schema.d.ts` by its path, as `pull` has written it; a merge by hand or another version may have left another one. Made once for each lock. */
export function typeFiles(lock: SchemaLock): readonly (readonly [string, string])[] {
  const files = typesOf.get(lock) ?? [emitSchemaTypes(lock)].flatMap((types) => (types === null ? [] : [[TYPES_FILE, types] as const]));
  typesOf.set(lock, files);
  return files;
}

const typesOf = new WeakMap<SchemaLock, readonly (readonly [string, string])[]>();
