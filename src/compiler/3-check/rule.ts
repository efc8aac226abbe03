import type { MultiMasterSync, OneWaySync, ReplicationConfig, SyncConfig } from '../../index.ts';
import type { Severity } from '../../plan/diagnostic.ts';
import type { SchemaLock } from '../../plan/schema-lock.ts';
import { displayName } from '../../sql/quote.ts';
import type { ConfigPart, ConfigPath } from '../1-load/fault.ts';
import type { ModelResult } from '../2-model/build-model.ts';
import { type ModelFlow, modelFlows, type ModelMasterTable, type ModelMultiMaster, type ModelSync, type ModelTable } from '../2-model/model.ts';

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

/** A table of a flow of a sync with its place in the config. */
export type PlacedTable = { readonly sync: ModelSync; readonly flow: ModelFlow; readonly table: ModelTable; readonly path: ConfigPath };

/** Every table of every flow: a table of a multi-master sync once for each member. */
export function placedTables({ model, places }: CheckInput): readonly PlacedTable[] {
  return model.syncs.flatMap((sync) =>
    modelFlows(sync).flatMap((flow) => flow.tables.map((table) => ({ sync, flow, table, path: places.get(table) ?? ['syncs', sync.name] }))),
  );
}

export function oneWayTables(input: CheckInput): readonly PlacedTable[] {
  return placedTables(input).filter(({ sync }) => sync.mode === 'one-way');
}

/** A table of a multi-master sync with its place in the config. */
export type PlacedMaster = { readonly sync: ModelMultiMaster; readonly table: ModelMasterTable; readonly label: string; readonly path: ConfigPath };

/** Every table of every multi-master sync, once. */
export function masterTables({ model, places }: CheckInput): readonly PlacedMaster[] {
  return model.syncs.flatMap((sync) =>
    sync.mode === 'one-way'
      ? []
      : sync.tables.map((table) => {
          const { reference } = table;
          return { sync, table, label: displayName(reference.source), path: places.get(reference) ?? ['syncs', sync.name] };
        }),
  );
}

/** Every sync of the config, whether its databases are known or not. */
export function configSyncs({ config }: CheckInput): readonly (readonly [string, SyncConfig])[] {
  return Object.entries(config.syncs);
}

export function oneWaySyncs(input: CheckInput): readonly (readonly [string, OneWaySync])[] {
  return configSyncs(input).flatMap(([name, sync]) => (sync.mode === 'one-way' ? [[name, sync] as const] : []));
}

export function masterSyncs(input: CheckInput): readonly (readonly [string, MultiMasterSync])[] {
  return configSyncs(input).flatMap(([name, sync]) => (sync.mode === 'multi-master' ? [[name, sync] as const] : []));
}
