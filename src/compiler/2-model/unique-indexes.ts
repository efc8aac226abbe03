import type { KeySchema, TableSchema } from '../../plan/schema-lock.ts';
import type { ModelTable } from './model.ts';

/** Unique indexes on plain columns beside the key: what holds the whole key is unique by the key alone. */
export function uniqueBesideKey({ key, source }: ModelTable): readonly KeySchema[] {
  return uniqueBeside(source, key);
}

/** The same of a table as one database has it. */
export function uniqueBeside({ keys }: TableSchema, key: KeySchema): readonly KeySchema[] {
  const wanted = key.columns.map(({ name }) => name);
  return keys.filter(({ columns }) => !wanted.every((name) => columns.some((column) => column.name === name)));
}

/** Those of them whose values travel, so that a round can see two rows that hold the same. */
export function visibleUnique(table: ModelTable): readonly KeySchema[] {
  const flowing = new Set(table.columns.map(({ target }) => target));
  return uniqueBesideKey(table).filter(({ columns }) => columns.every(({ name }) => flowing.has(name)));
}
