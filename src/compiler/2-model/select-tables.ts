import type { SyncConfig } from '../../index.ts';
import type { TableSchema } from '../../plan/schema-lock.ts';
import { displayName, type QualifiedName } from '../../sql/quote.ts';
import { didYouMean } from '../1-load/did-you-mean.ts';
import type { ConfigPath, Fault } from '../1-load/fault.ts';
import { tableConfig, type TableEntry } from './config-schemas.ts';
import { error, warning } from './faults.ts';
import { byName, type LockIndex } from './lock-index.ts';
import { parseTableName, type TableName } from './table-name.ts';

/** A table that a sync takes, with the entry of the config that took it. */
export type Selected = { readonly table: TableSchema; readonly entry: TableEntry; readonly path: ConfigPath; readonly isPattern: boolean };

type Entry = { readonly entry: TableEntry; readonly name: TableName; readonly path: ConfigPath };
type Pattern = Entry & { readonly name: Extract<TableName, { kind: 'pattern' }> };
type Exact = Entry & { readonly name: Extract<TableName, { kind: 'exact' }> };
type Outcome = { readonly selected: readonly Selected[]; readonly faults: readonly Fault[] };

/** Resolves names and patterns of one sync against its source, or its first member. A table named exactly is taken by that entry and by no pattern. */
export function selectTables(options: { sync: SyncConfig; path: ConfigPath; index: LockIndex }): Outcome {
  const { sync, path, index } = options;
  const entries = sync.tables.map((item, position): Entry => {
    const entry = tableConfig(item);
    const place = [...path, 'tables', position];
    return { entry, name: parseTableName(entry.table), path: typeof item === 'string' ? place : [...place, 'table'] };
  });
  const excluded = (sync.exclude ?? []).map((text, position): Entry => {
    return { entry: { table: text }, name: parseTableName(text), path: [...path, 'exclude', position] };
  });
  const exact = selectExact(entries.filter(isExact), { index, isCaptured: sync.mode !== 'full-copy' });
  const patterns = selectByPattern({ patterns: entries.filter(isPattern), exact: exact.selected, excluded, index });
  return {
    selected: [...exact.selected, ...patterns.selected],
    faults: [...entries, ...excluded].flatMap(nameFault).concat(
      exact.faults,
      patterns.faults,
      excluded.flatMap((entry) => excludeFault(entry, index)),
    ),
  };
}

function isExact(entry: Entry): entry is Exact {
  return entry.name.kind === 'exact';
}

function isPattern(entry: Entry): entry is Pattern {
  return entry.name.kind === 'pattern';
}

function nameFault({ name, path }: Entry): Fault[] {
  return name.kind === 'fault' ? [error('SAR115', path, name.message, 'Put a name that holds a dot, a star or a quote in double quotes.')] : [];
}

/** A misspelt exclusion would send what was meant to stay. */
function excludeFault({ entry, name, path }: Entry, index: LockIndex): Fault[] {
  if (name.kind === 'fault' || index.database.tables.some((table) => matches(name, table))) return [];
  if (name.kind === 'pattern') return [warning('SAR202', path, `no table fits ${entry.table}`, null)];
  const shown = displayName(name.name);
  return [error('SAR201', path, `there is no table ${shown} to exclude`, didYouMean(shown, index.database.tables.map(displayName)))];
}

/** What is only copied needs no trigger: it may be anything that has rows. */
type Place = { readonly index: LockIndex; readonly isCaptured: boolean };

function selectExact(entries: readonly Exact[], { index, isCaptured }: Place): Outcome {
  const selected: Selected[] = [];
  const faults: Fault[] = [];
  const taken = new Set<string>();
  for (const { entry, name, path } of entries) {
    const shown = displayName(name.name);
    const table = index.table(name.name);
    const fault = taken.has(shown)
      ? error('SAR114', path, `${shown} is listed twice`, 'Leave one of the two out.')
      : exactFault(name.name, table, { path, index, isCaptured });
    taken.add(shown);
    if (fault) faults.push(fault);
    else if (table) selected.push({ table, entry, path, isPattern: false });
  }
  return { selected, faults };
}

function exactFault(name: QualifiedName, table: TableSchema | undefined, place: Place & { path: ConfigPath }): Fault | null {
  const shown = displayName(name);
  if (!table) {
    const hint = didYouMean(shown, place.index.database.tables.map(displayName)) ?? 'If it is new, run `sarrio pull` first.';
    return error('SAR201', place.path, `there is no table ${shown}`, hint);
  }
  if (table.partitionOf) {
    const parent = displayName(table.partitionOf);
    return error('SAR205', place.path, `${shown} is a partition of ${parent}`, `Name ${parent} instead: its partitions come with it.`);
  }
  const reason = place.isCaptured ? unfitReason(table) : null;
  return reason ? error('SAR203', place.path, `${shown} is ${reason} and cannot be captured`, 'Only ordinary and partitioned tables can be replicated.') : null;
}

/** What the table is, when no trigger can capture its changes or when it loses its rows in a crash. */
export function unfitReason(table: TableSchema): string | null {
  switch (table.kind) {
    case 'view':
      return 'a view';
    case 'materialized-view':
      return 'a materialized view';
    case 'foreign':
      return 'a foreign table';
    case 'table':
    case 'partitioned':
      return table.persistence === 'permanent' ? null : `an ${table.persistence} table`.replace('an t', 'a t');
  }
}

function selectByPattern(options: { patterns: readonly Pattern[]; exact: readonly Selected[]; excluded: readonly Entry[]; index: LockIndex }): Outcome {
  const { patterns, exact, excluded, index } = options;
  const named = new Set(exact.map(({ table }) => displayName(table)));
  const isExcluded = (table: TableSchema): boolean => excluded.some(({ name }) => matches(name, table));
  const free = index.database.tables.filter((table) => !table.partitionOf && !isExcluded(table) && !named.has(displayName(table)));
  const selected = new Map<string, Selected>();
  const faults: Fault[] = [];
  for (const pattern of patterns) {
    const found = free.filter(pattern.name.matches);
    const fit = found.filter((table) => unfitReason(table) === null);
    const isSpent = exact.some(({ table }) => pattern.name.matches(table));
    faults.push(...patternFaults({ pattern, found, fit, isSpent }));
    for (const table of fit) {
      const earlier = selected.get(displayName(table));
      if (!earlier) selected.set(displayName(table), { table, entry: pattern.entry, path: pattern.path, isPattern: true });
      else if (settingsOf(earlier.entry) !== settingsOf(pattern.entry) || areOtherFunctions(earlier.entry, pattern.entry))
        faults.push(ambiguous(table, earlier, pattern));
    }
  }
  return { selected: [...selected.values()].sort((left, right) => byName(left.table, right.table)), faults };
}

function matches(name: TableName, table: TableSchema): boolean {
  if (name.kind === 'exact') return displayName(name.name) === displayName(table);
  return name.kind === 'pattern' && name.matches(table);
}

function patternFaults(options: { pattern: Pattern; found: readonly TableSchema[]; fit: readonly TableSchema[]; isSpent: boolean }): Fault[] {
  const { pattern, found, fit, isSpent } = options;
  const { table } = pattern.entry;
  const skipped = found.filter((candidate) => !fit.includes(candidate)).map((candidate) => `${displayName(candidate)} (${unfitReason(candidate)})`);
  const faults: Fault[] = [];
  if (fit.length === 0 && !isSpent)
    faults.push(error('SAR202', pattern.path, `no table fits ${table}`, 'Check the spelling, or run `sarrio pull` if the tables are new.'));
  if (skipped.length > 0)
    faults.push(warning('SAR204', pattern.path, `${table} leaves out ${skipped.join(', ')}`, 'Add them to `exclude` to say that this is meant.'));
  return faults;
}

function settingsOf({ where, columns, missingColumns, captureTriggers, onConflict, onUnique, truncate }: TableEntry): string {
  return JSON.stringify({ where, omit: columns?.omit, missingColumns, captureTriggers, onConflict, onUnique, truncate });
}

/** Functions have no JSON. */
function areOtherFunctions(one: TableEntry, other: TableEntry): boolean {
  const hooks = ['onConflict', 'onUnique', 'onException'] as const;
  return hooks.some((hook) => [one, other].some((entry) => typeof entry[hook] === 'function') && one[hook] !== other[hook]);
}

function ambiguous(table: TableSchema, earlier: Selected, pattern: Pattern): Fault {
  const shown = displayName(table);
  const message = `${shown} fits both ${earlier.entry.table} and ${pattern.entry.table}, which have different settings`;
  return error('SAR118', pattern.path, message, `List ${shown} by its name with the settings that it should have.`);
}
