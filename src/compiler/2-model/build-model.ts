import type { FullCopySync, OneWaySync, ReplicationConfig } from '../../index.ts';
import { byCodeUnit } from '../../plan/canonical.ts';
import type { KeySchema, SchemaLock, TableSchema } from '../../plan/schema-lock.ts';
import type { QualifiedName } from '../../sql/quote.ts';
import type { ConfigPath, Fault } from '../1-load/fault.ts';
import type { ExtractedHandlers } from '../1-load/handlers/extract-handlers.ts';
import { buildEnvironments } from './build-environments.ts';
import { buildFullCopy, copyKey } from './build-full-copy.ts';
import { buildMasters } from './build-masters.ts';
import { error } from './faults.ts';
import { byName, indexLock, type LockIndex } from './lock-index.ts';
import type { Model, ModelSync, ModelTable } from './model.ts';
import { resolveBacklog } from './resolve-backlog.ts';
import { resolveCopy } from './resolve-copy.ts';
import { keptRows, resolveGuard } from './resolve-guard.ts';
import { resolveColumns, unknownOmits } from './resolve-columns.ts';
import { resolveKey } from './resolve-key.ts';
import { resolveCarry } from './resolve-sequences.ts';
import { type Selected, selectTables } from './select-tables.ts';
import { parseTableName } from './table-name.ts';

/** The model, the places in the config where its tables come from, and every name that could not be resolved. */
export type ModelResult = {
  readonly model: Model;
  readonly places: ReadonlyMap<ModelTable, ConfigPath>;
  readonly faults: readonly Fault[];
};

type Indexes = ReadonlyMap<string, LockIndex>;

/** Resolves the config against the lock. A sync whose source is unknown or not in the lock (or all members of it) stays empty: a rule of phase 3 says why. */
export function buildModel(config: ReplicationConfig, lock: SchemaLock, handlers: ExtractedHandlers = new Map()): ModelResult {
  const indexes: Indexes = new Map(Object.entries(lock.databases).map(([name, database]) => [name, indexLock(database)]));
  const places = new Map<ModelTable, ConfigPath>();
  const faults: Fault[] = [];
  const syncs = sortedEntries(config.syncs).map(([name, sync]): ModelSync => {
    const path = ['syncs', name];
    if (sync.mode === 'multi-master') return buildMasters({ name, sync, path, indexes, faults, places, handlers });
    const tables = buildTables({ sync, path, indexes, faults, places });
    if (sync.mode === 'full-copy') return buildFullCopy({ name, sync, path, tables, faults });
    const { mode, source, targets, existingRows = 'refuse' } = sync;
    const [maxBacklog, sequences, guard] = [resolveBacklog(sync.maxBacklog), resolveCarry(sync.sequences), resolveGuard(sync.guard)];
    return { name, mode, source, targets, existingRows, maxBacklog, sequences, guard, copy: resolveCopy(sync.copy), tables };
  });
  const databases = sortedEntries(config.databases).map(([name, { env, roles = null }]) => {
    const locked = lock.databases[name];
    return { name, urlVariable: env, serverMajor: locked?.serverMajor ?? 0, encoding: locked?.encoding ?? '', roles };
  });
  const { project = 'sarrio', approve: approvals = [] } = config;
  return { model: { project, databases, syncs, approvals, environments: buildEnvironments(config) }, places, faults };
}

function sortedEntries<Value>(record: Readonly<Record<string, Value>>): [string, Value][] {
  return Object.entries(record).sort(([left], [right]) => byCodeUnit(left, right));
}

type SyncParts = { sync: OneWaySync | FullCopySync; path: ConfigPath; indexes: Indexes; faults: Fault[]; places: Map<ModelTable, ConfigPath> };

function buildTables({ sync, path, indexes, faults, places }: SyncParts): readonly ModelTable[] {
  const source = indexes.get(sync.source);
  if (!source) return [];
  const { selected, faults: nameFaults } = selectTables({ sync, path, index: source });
  faults.push(...nameFaults, ...patternSettings(selected), ...omitFaults(selected));
  const targets = new Map(sync.targets.flatMap((name) => (indexes.has(name) ? [[name, indexes.get(name)] as const] : [])));
  const tables = selected.flatMap((item) => {
    const settings = {
      missingColumns: item.entry.missingColumns ?? sync.missingColumns ?? 'refuse',
      captureTriggers: item.entry.captureTriggers ?? (sync.mode === 'one-way' ? sync.captureTriggers : undefined) ?? 'origin',
      keyOf: sync.mode === 'full-copy' ? copyKey(sync) : resolveKey,
      kept: keptRows(sync.mode === 'one-way' ? sync : {}, item.entry),
    } as const;
    const table = buildTable({ selected: item, ...settings, source, targets, faults });
    if (table) places.set(table, item.path);
    return table ? [table] : [];
  });
  return tables.sort((left, right) => byName(left.source, right.source));
}

type TableParts = {
  selected: Selected;
  missingColumns: 'refuse' | 'omit';
  captureTriggers: ModelTable['captureTriggers'];
  keyOf: (selected: Selected, targets: readonly TableSchema[]) => KeySchema | Fault;
  kept: Pick<ModelTable, 'truncate' | 'takesTruncate' | 'gone'>;
  source: LockIndex;
  targets: ReadonlyMap<string, LockIndex | undefined>;
  faults: Fault[];
};

function buildTable({ selected, missingColumns, captureTriggers, keyOf, kept, source, targets, faults }: TableParts): ModelTable | null {
  const { table, entry, isPattern } = selected;
  const targetName = targetNameOf(selected, faults);
  const found = [...targets].flatMap(([name, index]) => {
    const target = index?.table(targetName);
    return target ? [[name, target] as const] : [];
  });
  const { columns, faults: columnFaults } = resolveColumns(selected, { missingColumns, targets: found.map(([, target]) => target) });
  const key = keyOf(
    selected,
    found.map(([, target]) => target),
  );
  faults.push(...columnFaults);
  if ('code' in key) {
    faults.push(key);
    return null;
  }
  return {
    source: table,
    key,
    where: entry.where ?? null,
    columns,
    takesNew: missingColumns === 'refuse' && (isPattern || entry.columns?.pick === undefined),
    targetName,
    targets: Object.fromEntries(found),
    partitions: source.partitionsOf(table).map(({ schema, name }) => ({ schema, name })),
    capture: source.isInHierarchy(table) ? 'row' : 'statement',
    captureTriggers,
    ...kept,
    recorded: null,
    before: false,
  };
}

function targetNameOf({ table, entry, path, isPattern }: Selected, faults: Fault[]): QualifiedName {
  const own = { schema: table.schema, name: table.name };
  if (entry.rename === undefined || isPattern) return own;
  const name = parseTableName(entry.rename);
  if (name.kind === 'exact') return name.name;
  const message = name.kind === 'fault' ? name.message : `'${entry.rename}' is a pattern; a table is renamed to one name`;
  faults.push(error('SAR115', [...path.slice(0, -1), 'rename'], message, null));
  return own;
}

/** Settings that only make sense for one table. */
function patternSettings(selected: readonly Selected[]): Fault[] {
  return byEntry(selected).flatMap(({ entry, path }) => {
    const { pick, rename, compute } = entry.columns ?? {};
    const given = { rename: entry.rename, key: entry.key, 'columns.pick': pick, 'columns.rename': rename, 'columns.compute': compute };
    const unfit = Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [name]));
    const hint = 'List the tables that need these settings by their names; a name beats a pattern.';
    return unfit.map((name) => error('SAR116', [...path.slice(0, -1), ...name.split('.')], `${name} does not go with the pattern ${entry.table}`, hint, 'key'));
  });
}

function omitFaults(selected: readonly Selected[]): Fault[] {
  return byEntry(selected).flatMap(({ entry }) => unknownOmits(selected.filter((item) => item.entry === entry)));
}

/** One table for each pattern that took any. */
function byEntry(selected: readonly Selected[]): readonly Selected[] {
  return [...new Map(selected.filter(({ isPattern }) => isPattern).map((item) => [item.entry, item])).values()];
}
