import type { ColumnSchema } from '../../plan/schema-lock.ts';
import { identityHash } from './object-names.ts';

/** Stands in front of the values of a row that is kept as text: which columns they are, and of which types. */
export function rowLayout(columns: readonly Pick<ColumnSchema, 'name' | 'type'>[]): string {
  return identityHash(columns.flatMap(({ name, type }) => [name, type]));
}
