import type { Diagnostic } from '../plan/diagnostic.ts';
import { SarrioError } from '../plan/errors.ts';
import { PLAN_FILE } from '../plan/generated-files.ts';
import type { Plan } from '../plan/plan.ts';
import type { SchemaLock } from '../plan/schema-lock.ts';
import { writePlan } from '../plan/write-plan.ts';
import { locate } from './1-load/fault.ts';
import { type LoadedConfig, loadConfig } from './1-load/load-config.ts';
import { buildModel } from './2-model/build-model.ts';
import { checkModel } from './3-check/check-model.ts';
import { emit } from './4-emit/emit.ts';

/** What compiling gives: the plan, every file under `generated/` by path (without the lock), and warnings. */
export type Compiled = { readonly plan: Plan; readonly files: ReadonlyMap<string, string>; readonly warnings: readonly Diagnostic[] };

/** The whole compiler: config and lock in, files out. Contacts nothing; the same input gives the same bytes. Throws all errors together. */
export async function compile(options: { config: string; cwd: string; lock: SchemaLock }): Promise<Compiled> {
  return compileConfig(await loadConfig({ path: options.config, cwd: options.cwd }), options.lock);
}

/** Phases 2 to 4, for a config that is loaded. */
export function compileConfig({ config, spanOf }: LoadedConfig, lock: SchemaLock): Compiled {
  const { model, places, faults } = buildModel(config, lock);
  const diagnostics = locate([...faults, ...checkModel({ config, lock, model, places })], spanOf);
  if (diagnostics.some(({ severity }) => severity === 'error')) throw new SarrioError({ exit: 'invalid', diagnostics });
  const { plan, files } = emit(model);
  return { plan, files: new Map([[PLAN_FILE, writePlan(plan)], ...files]), warnings: diagnostics };
}
