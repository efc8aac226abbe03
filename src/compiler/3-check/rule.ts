import type { ReplicationConfig } from '../../index.ts';
import type { Severity } from '../../plan/diagnostic.ts';
import type { SchemaLock } from '../../plan/schema-lock.ts';
import type { ConfigPart, ConfigPath } from '../1-load/fault.ts';
import type { ModelResult } from '../2-model/build-model.ts';
import type { ModelSync, ModelTable } from '../2-model/model.ts';

/** All that a rule may look at. */
export type CheckInput = Omit<ModelResult, 'faults'> & { readonly config: ReplicationConfig; readonly lock: SchemaLock };

/** What a rule has found; code and severity are the rule's. */
export type Finding = { readonly message: string; readonly hint: string | null; readonly path: ConfigPath; readonly part?: ConfigPart };

/** One check, pure. The summary and the explanation are its documentation. */
export type Rule = {
  readonly code: string;
  readonly severity: Severity;
  readonly summary: string;
  readonly explanation: string;
  readonly run: (input: CheckInput) => readonly Finding[];
};

/** A table of a sync with its place in the config. */
export type PlacedTable = { readonly sync: ModelSync; readonly table: ModelTable; readonly path: ConfigPath };

/** Every table of every sync. */
export function placedTables({ model, places }: CheckInput): readonly PlacedTable[] {
  return model.syncs.flatMap((sync) => sync.tables.map((table) => ({ sync, table, path: places.get(table) ?? ['syncs', sync.name] })));
}

/** Every sync of the config, whether its databases are known or not. */
export function configSyncs({ config }: CheckInput): readonly (readonly [string, ReplicationConfig['syncs'][string]])[] {
  return Object.entries(config.syncs);
}
