import type { FullCopySync, MultiMasterSync, OneWaySync, ReplicationConfig, SyncConfig } from '../../index.ts';
import { byCodeUnit } from '../../plan/canonical.ts';
import type { SchemaLock, TableSchema } from '../../plan/schema-lock.ts';
import type { SchemaWish, WishedColumn } from '../../plan/schema-wish.ts';
import { displayName, type QualifiedName } from '../../sql/quote.ts';
import type { ConfigPath, Fault } from '../1-load/fault.ts';
import { indexLock, type LockIndex } from './lock-index.ts';
import { resolveColumns } from './resolve-columns.ts';
import { type Selected, selectTables } from './select-tables.ts';
import { parseTableName } from './table-name.ts';

/** Which tables the syncs bring to which databases, and names that no source has. */
export type SchemaWishes = { readonly wishes: readonly SchemaWish[]; readonly faults: readonly Fault[] };

/** Only against sources: what the targets have is looked up where it can be made. Ordered by sync, as the model is. */
export function schemaWishes(config: ReplicationConfig, lock: SchemaLock): SchemaWishes {
  const indexes = new Map(Object.entries(lock.databases).map(([name, database]) => [name, indexLock(database)]));
  const outcomes = Object.entries(config.syncs)
    .sort(([left], [right]) => byCodeUnit(left, right))
    .map(([name, sync]) => (sync.mode === 'multi-master' ? fromMembers({ name, sync, indexes }) : fromSource({ name, sync, indexes })));
  return { wishes: outcomes.flatMap(({ wishes }) => wishes), faults: outcomes.flatMap(({ faults }) => faults) };
}

type Indexes = ReadonlyMap<string, LockIndex>;

function fromSource({ name, sync, indexes }: { name: string; sync: OneWaySync | FullCopySync; indexes: Indexes }): SchemaWishes {
  const { selected, faults } = selectedFrom({ sync, path: ['syncs', name], index: indexes.get(sync.source) });
  const wishes = selected.map((item) => {
    const { columns, faults: columnFaults } = wishedColumns(item);
    const own = { sync: name, source: sync.source, table: nameOf(item.table), name: targetName(item), columns, rows: rowsOf(sync, item) } as const;
    return { faults: columnFaults, wishes: sync.targets.map((target): SchemaWish => ({ ...own, target })) };
  });
  return { wishes: wishes.flatMap((each) => each.wishes), faults: [...faults, ...wishes.flatMap((each) => each.faults)] };
}

/** The first member that has a table is the one that the others get it from. A name that no member has is a fault of the first. */
function fromMembers({ name, sync, indexes }: { name: string; sync: MultiMasterSync; indexes: Indexes }): SchemaWishes {
  const found = new Map<string, SchemaWish[]>();
  const outcomes = sync.members.map((source) => {
    const { selected, faults } = selectedFrom({ sync, path: ['syncs', name], index: indexes.get(source) });
    for (const { table } of selected) {
      if (found.has(displayName(table))) continue;
      const columns = table.columns.map((column): WishedColumn => ({ kind: 'column', name: column.name, from: column.name }));
      const others = sync.members.filter((member) => member !== source);
      const own = { sync: name, source, table: nameOf(table), name: nameOf(table), columns, rows: 'all' } as const;
      found.set(
        displayName(table),
        others.map((target) => ({ ...own, target })),
      );
    }
    return faults.filter(({ severity }) => severity === 'error');
  });
  const fewest = outcomes.reduce((least, faults) => (faults.length < least.length ? faults : least), outcomes[0] ?? []);
  return { wishes: [...found.values()].flat(), faults: fewest };
}

function selectedFrom({ sync, path, index }: { sync: SyncConfig; path: ConfigPath; index: LockIndex | undefined }): ReturnType<typeof selectTables> {
  return index ? selectTables({ sync, path, index }) : { selected: [], faults: [] };
}

function wishedColumns(item: Selected): { readonly columns: readonly WishedColumn[]; readonly faults: readonly Fault[] } {
  const { columns, faults } = resolveColumns(item, { missingColumns: 'refuse', targets: [] });
  return {
    faults,
    columns: columns.map(({ target, from }): WishedColumn => {
      return from.kind === 'column'
        ? { kind: 'column', name: target, from: from.column.name }
        : { kind: 'computed', name: target, expression: from.expression };
    }),
  };
}

function targetName({ table, entry, isPattern }: Selected): QualifiedName {
  const renamed = entry.rename === undefined || isPattern ? null : parseTableName(entry.rename);
  return renamed?.kind === 'exact' ? renamed.name : nameOf(table);
}

function rowsOf(sync: OneWaySync | FullCopySync, { entry }: Selected): SchemaWish['rows'] {
  if (entry.where !== undefined) return 'some';
  const skipped = entry.skip ?? (sync.mode === 'one-way' ? sync.skip : undefined) ?? [];
  return skipped.length > 0 ? 'more' : 'all';
}

function nameOf({ schema, name }: TableSchema): QualifiedName {
  return { schema, name };
}
