import type { KeySchema, TableSchema } from '../../plan/schema-lock.ts';
import { displayName } from '../../sql/quote.ts';
import { didYouMean } from '../1-load/did-you-mean.ts';
import type { ConfigPath, Fault } from '../1-load/fault.ts';
import { error } from './faults.ts';
import type { Selected } from './select-tables.ts';

/** The key that identifies a table's rows: the chosen unique index, else the primary key. */
export function resolveKey(selected: Selected): KeySchema | Fault {
  const { table, entry, path, isPattern } = selected;
  if (entry.key === undefined || isPattern) return table.keys.find((key) => key.primary) ?? noKey(table, path);
  const place = [...path.slice(0, -1), 'key'];
  const key = typeof entry.key === 'string' ? table.keys.find(({ name }) => name === entry.key) : keyOn(table, entry.key);
  if (!key) return unknownKey(table, entry.key, place);
  if (key.notNull) return key;
  const nullable = key.columns.map(({ name }) => name).filter((name) => !isNotNull(table, name));
  const message = `key ${key.name} of ${displayName(table)} has columns that may be null: ${nullable.join(', ')}`;
  return error('SAR208', place, message, 'Set them NOT NULL, or choose another key: a row without a key value cannot be found again.');
}

/** The unique index on exactly these columns, in any order. */
export function keyOn(table: TableSchema, columns: readonly string[]): KeySchema | undefined {
  const wanted = JSON.stringify([...columns].sort());
  return table.keys.find((key) => JSON.stringify(key.columns.map(({ name }) => name).sort()) === wanted);
}

function isNotNull(table: TableSchema, column: string): boolean {
  return table.columns.some(({ name, notNull }) => name === column && notNull);
}

function noKey(table: TableSchema, path: ConfigPath): Fault {
  const usable = table.keys.filter((key) => key.notNull).map(({ name }) => name);
  const choose = `Choose its unique index: { table: '${displayName(table)}', key: '${usable[0] ?? ''}' }`;
  const hint = usable.length > 0 ? choose : 'Give it a primary key (WITHOUT OVERLAPS is none), or a unique index on NOT NULL columns, or leave the table out.';
  return error('SAR210', path, `${displayName(table)} has no primary key`, hint);
}

function unknownKey(table: TableSchema, wanted: string | readonly string[], path: ConfigPath): Fault {
  const known = table.keys.map(({ name, columns }) => `${name} (${columns.map((column) => column.name).join(', ')})`);
  const list = known.length > 0 ? `It has: ${known.join('; ')}.` : 'It has none.';
  const shown = typeof wanted === 'string' ? `no unique index ${wanted}` : `no unique index on exactly (${wanted.join(', ')})`;
  const guess =
    typeof wanted === 'string'
      ? didYouMean(
          wanted,
          table.keys.map(({ name }) => name),
        )
      : null;
  return error(
    'SAR207',
    path,
    `${displayName(table)} has ${shown}`,
    guess ?? `${list} An index with a condition, an expression, overlaps, or an equality or collation of its own is no key.`,
  );
}
