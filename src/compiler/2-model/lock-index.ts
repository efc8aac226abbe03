import { byCodeUnit } from '../../plan/canonical.ts';
import type { DatabaseSchema, TableSchema } from '../../plan/schema-lock.ts';
import { displayName, type QualifiedName } from '../../sql/quote.ts';

/** One database of the lock with its tables by name, and who is below whom. */
export type LockIndex = {
  readonly database: DatabaseSchema;
  readonly table: (name: QualifiedName) => TableSchema | undefined;
  /** All partitions below a table, at every depth, ordered. */
  readonly partitionsOf: (table: TableSchema) => readonly TableSchema[];
  /** The table inherits, or others inherit from it (not partitioning). */
  readonly isInHierarchy: (table: TableSchema) => boolean;
};

/** Names are unique as text only with their quotes, which `displayName` writes. */
export function indexLock(database: DatabaseSchema): LockIndex {
  const tables = new Map(database.tables.map((table) => [displayName(table), table]));
  const partitions = new Map<string, TableSchema[]>();
  for (const table of database.tables) {
    if (!table.partitionOf) continue;
    const parent = displayName(table.partitionOf);
    partitions.set(parent, [...(partitions.get(parent) ?? []), table]);
  }
  const parents = new Set(database.tables.flatMap((table) => table.inherits.map(displayName)));
  const below = (table: TableSchema): readonly TableSchema[] =>
    (partitions.get(displayName(table)) ?? []).flatMap((partition) => [partition, ...below(partition)]);
  return {
    database,
    table: (name) => tables.get(displayName(name)),
    partitionsOf: (table) => [...below(table)].sort(byName),
    isInHierarchy: (table) => table.inherits.length > 0 || parents.has(displayName(table)),
  };
}

/** Order by schema, then name, by code units. */
export function byName(left: QualifiedName, right: QualifiedName): number {
  return byCodeUnit(left.schema, right.schema) || byCodeUnit(left.name, right.name);
}
