import type { MultiMasterSync, UniqueRuleConfig } from '../../index.ts';
import { recordedFor, recordsBefore } from '../../plan/conflict-rule.ts';
import type { KeySchema, TableSchema } from '../../plan/schema-lock.ts';
import type { UniqueRule } from '../../plan/unique-rule.ts';
import { displayName } from '../../sql/quote.ts';
import type { ConfigPath, Fault } from '../1-load/fault.ts';
import type { ExtractedHandlers } from '../1-load/handlers/extract-handlers.ts';
import { error } from './faults.ts';
import { byName, type LockIndex } from './lock-index.ts';
import type { ModelColumn, ModelMasterTable, ModelMultiMaster, ModelTable } from './model.ts';
import { resolveBacklog } from './resolve-backlog.ts';
import { keyOn, resolveKey } from './resolve-key.ts';
import { resolveRule } from './resolve-rule.ts';
import { resolveCopy } from './resolve-copy.ts';
import { resolveKeeping, resolveSkew } from './resolve-skew.ts';
import { resolveSequences } from './resolve-sequences.ts';
import { type Selected, selectTables } from './select-tables.ts';

type Parts = {
  readonly name: string;
  readonly sync: MultiMasterSync;
  readonly path: ConfigPath;
  readonly indexes: ReadonlyMap<string, LockIndex>;
  readonly faults: Fault[];
  readonly places: Map<ModelTable, ConfigPath>;
  readonly handlers: ExtractedHandlers;
};

/** A multi-master sync with its names resolved against the first member that the lock knows; it stays empty when that is none. */
export function buildMasters(parts: Parts): ModelMultiMaster {
  const { name, sync, places } = parts;
  const members = [...new Set(sync.members)];
  const known = new Map(
    members.flatMap((member) => [[member, parts.indexes.get(member)] as const]).flatMap(([member, index]) => (index ? [[member, index]] : [])),
  );
  const tables = selectFrom(parts, known).flatMap(({ item, seed }) => {
    const table = buildTable(parts, { selected: item, seed, known });
    for (const each of table === null ? [] : [table.reference, ...Object.values(table.sources)]) places.set(each, item.path);
    return table ?? [];
  });
  return {
    name,
    mode: 'multi-master',
    members,
    existingRows: sync.existingRows ?? 'refuse',
    maxBacklog: resolveBacklog(sync.maxBacklog),
    maxClockSkewMs: resolveSkew(sync.maxClockSkew),
    keepConflictsHours: resolveKeeping(sync.keepConflicts),
    copy: resolveCopy(sync.copy),
    sequences: resolveSequences(sync.sequences, members.length),
    tables: tables.sort((left, right) => byName(left.reference.source, right.reference.source)),
  };
}

type Known = ReadonlyMap<string, LockIndex>;
type Found = { readonly item: Selected; readonly seed: LockIndex };

/** What the first member selects. What only another one does (a table that fits a pattern) would silently stay behind there. */
function selectFrom({ sync, path, faults }: Parts, known: Known): readonly Found[] {
  const [first, ...others] = [...known];
  if (first === undefined) return [];
  const [name, seed] = first;
  const { selected, faults: nameFaults } = selectTables({ sync, path, index: seed });
  faults.push(...nameFaults);
  const taken = new Set(selected.map(({ table }) => displayName(table)));
  for (const [member, index] of others) {
    for (const { table, path: place, isPattern } of selectTables({ sync, path, index }).selected) {
      if (!isPattern || taken.has(displayName(table))) continue;
      taken.add(displayName(table));
      const message = `member '${name}' has no table ${displayName(table)}, which '${member}' has`;
      faults.push(error('SAR264', place, message, 'Create it there and run `sarrio pull`, or leave it out with `exclude`.'));
    }
  }
  return selected.map((item) => ({ item, seed }));
}

function buildTable({ sync, faults, handlers }: Parts, options: { selected: Selected; seed: LockIndex; known: Known }): ModelMasterTable | null {
  const { selected, seed, known } = options;
  const { table, entry } = selected;
  const key = resolveKey(selected);
  if ('code' in key) {
    faults.push(key);
    return null;
  }
  const schemas = Object.fromEntries([...known].flatMap(([member, index]) => pairOf(member, index.table(table))));
  const rule = resolveRule(entry.onConflict ?? sync.onConflict, handlers);
  const settings = {
    captureTriggers: entry.captureTriggers ?? sync.captureTriggers ?? 'origin',
    truncate: entry.truncate ?? sync.truncate ?? 'replicate',
    takesTruncate: false,
    gone: 'deleted',
    recorded: recordedFor(rule),
    before: recordsBefore(rule),
  } as const;
  const made = (index: LockIndex, own: TableSchema, member: { key: KeySchema; columns: readonly ModelColumn[]; except: string }): ModelTable => ({
    source: own,
    key: member.key,
    where: null,
    columns: member.columns,
    takesNew: true,
    targetName: { schema: table.schema, name: table.name },
    targets: Object.fromEntries(Object.entries(schemas).filter(([name]) => name !== member.except)),
    partitions: index.partitionsOf(own).map(({ schema, name }) => ({ schema, name })),
    capture: index.isInHierarchy(own) ? 'row' : 'statement',
    ...settings,
  });
  const columns = writable(table);
  const sources = [...known].flatMap(([member, index]) => {
    const own = schemas[member];
    const as = own && alike(own, { key, columns });
    return own && as ? pairOf(member, made(index, own, { ...as, except: member })) : [];
  });
  return {
    reference: made(seed, table, { key, columns, except: '' }),
    sources: Object.fromEntries(sources),
    schemas,
    rule,
    unique: uniqueOf(entry.onUnique ?? sync.onUnique, handlers),
    exception: handlers.get(entry.onException ?? sync.onException)?.rule ?? null,
    mask: [...new Set(entry.mask ?? [])],
  };
}

function pairOf<T>(name: string, value: T | undefined): (readonly [string, T])[] {
  return value === undefined ? [] : [[name, value]];
}

/** Every column but the generated ones, which each member computes itself. */
function writable(table: TableSchema): readonly ModelColumn[] {
  return table.columns.filter(({ generated }) => generated === 'none').map((column) => ({ target: column.name, from: { kind: 'column', column } }));
}

/** The key and columns of another member, in the first one's order; null when it lacks some. */
function alike(
  own: TableSchema,
  reference: { key: KeySchema; columns: readonly ModelColumn[] },
): { readonly key: KeySchema; readonly columns: readonly ModelColumn[] } | null {
  const names = reference.key.columns.map(({ name }) => name);
  const found = keyOn(own, names);
  const key = names.flatMap((name) => found?.columns.find((column) => column.name === name) ?? []);
  const columns = reference.columns.flatMap(({ target }): ModelColumn[] => {
    const column = own.columns.find(({ name }) => name === target);
    return column ? [{ target, from: { kind: 'column', column } }] : [];
  });
  return found && columns.length === reference.columns.length ? { key: { ...found, columns: key }, columns } : null;
}

function uniqueOf(choice: UniqueRuleConfig | undefined, handlers: ExtractedHandlers): UniqueRule | null {
  if (choice === undefined) return null;
  if (typeof choice === 'function') return handlers.get(choice)?.rule ?? null;
  return typeof choice === 'string' ? { strategy: choice } : { strategy: 'prefer', databases: choice };
}
