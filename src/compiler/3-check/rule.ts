import type { FullCopySync, MultiMasterSync, OneWaySync, ReplicationConfig, SyncConfig } from '../../index.ts';
import type { Explanation } from '../../explain/explanation.ts';
import type { Severity } from '../../plan/diagnostic.ts';
import type { SchemaLock } from '../../plan/schema-lock.ts';
import { displayName } from '../../sql/quote.ts';
import type { ConfigPart, ConfigPath } from '../1-load/fault.ts';
import type { ModelResult } from '../2-model/build-model.ts';
import {
  allFlows,
  type ModelFlow,
  type ModelFullCopy,
  type ModelMasterTable,
  type ModelMultiMaster,
  type ModelSync,
  type ModelTable,
} from '../2-model/model.ts';

/** All that a rule may look at. */
export type CheckInput = Omit<ModelResult, 'faults'> & { readonly config: ReplicationConfig; readonly lock: SchemaLock };

/** What a rule has found; code and severity are the rule's. */
export type Finding = { readonly message: string; readonly hint: string | null; readonly path: ConfigPath; readonly part?: ConfigPart };

/** One check, pure, with its documentation. */
export type Rule = Explanation & {
  readonly severity: Severity;
  readonly run: (input: CheckInput) => readonly Finding[];
};

/** A table of a flow of a sync with its place in the config. */
export type PlacedTable = { readonly sync: ModelSync; readonly flow: ModelFlow; readonly table: ModelTable; readonly path: ConfigPath };

/** Every table of every flow, captured or copied: a table of a multi-master sync once for each member. */
export function placedTables(input: CheckInput): readonly PlacedTable[] {
  const known = PLACED.get(input);
  if (known) return known;
  const { model, places } = input;
  const placed = model.syncs.flatMap((sync) =>
    allFlows(sync).flatMap((flow) => flow.tables.map((table) => ({ sync, flow, table, path: places.get(table) ?? ['syncs', sync.name] }))),
  );
  PLACED.set(input, placed);
  return placed;
}

/** Some forty rules ask for the same. */
const PLACED = new WeakMap<CheckInput, readonly PlacedTable[]>();

/** Tables of one-way syncs and of full copies: a source's rows in targets that follow it. */
export function oneWayTables(input: CheckInput): readonly PlacedTable[] {
  return placedTables(input).filter(({ sync }) => sync.mode !== 'multi-master');
}

/** Tables whose changes are captured. */
export function capturedTables(input: CheckInput): readonly PlacedTable[] {
  return placedTables(input).filter(({ sync }) => sync.mode !== 'full-copy');
}

/** A full copy with the tables that it replaces. */
export type PlacedCopy = PlacedTable & { readonly sync: ModelFullCopy };

export function copiedTables(input: CheckInput): readonly PlacedCopy[] {
  return placedTables(input).flatMap((placed) => (placed.sync.mode === 'full-copy' ? [{ ...placed, sync: placed.sync }] : []));
}

/** A table of a multi-master sync with its place in the config. */
export type PlacedMaster = { readonly sync: ModelMultiMaster; readonly table: ModelMasterTable; readonly label: string; readonly path: ConfigPath };

/** Every table of every multi-master sync, once. */
export function masterTables({ model, places }: CheckInput): readonly PlacedMaster[] {
  return model.syncs.flatMap((sync) =>
    sync.mode !== 'multi-master'
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

/** Syncs with one source: one-way syncs and full copies. */
export function oneWaySyncs(input: CheckInput): readonly (readonly [string, OneWaySync | FullCopySync])[] {
  return configSyncs(input).flatMap(([name, sync]) => (sync.mode === 'multi-master' ? [] : [[name, sync] as const]));
}

export function masterSyncs(input: CheckInput): readonly (readonly [string, MultiMasterSync])[] {
  return configSyncs(input).flatMap(([name, sync]) => (sync.mode === 'multi-master' ? [[name, sync] as const] : []));
}
