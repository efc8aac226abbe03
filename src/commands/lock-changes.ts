import { byCodeUnit } from '../plan/canonical.ts';
import type { DatabaseSchema, TableSchema } from '../plan/schema-lock.ts';
import { displayName, quoteIdent } from '../sql/quote.ts';

/** What a pull found to be new, other or gone: tables, and columns as `schema.table.column`. Ordered. */
export type LockChanges = { readonly added: readonly string[]; readonly changed: readonly string[]; readonly gone: readonly string[] };

/** Compares one database's schema with what the lock had of it. */
export function lockChanges(before: DatabaseSchema | undefined, after: DatabaseSchema): LockChanges {
  const old = itemsOf(before?.tables ?? []);
  const now = itemsOf(after.tables);
  const names = [...new Set([...old.keys(), ...now.keys()])].sort(byCodeUnit);
  return {
    added: names.filter((name) => isNews(name, now.get(name), old)),
    gone: names.filter((name) => isNews(name, old.get(name), now)),
    changed: names.filter((name) => old.has(name) && now.has(name) && old.get(name)?.content !== now.get(name)?.content),
  };
}

/** On one side only. The columns of a table that came or went as a whole are not listed one by one. */
function isNews(name: string, item: Item | undefined, others: ReadonlyMap<string, Item>): boolean {
  return item !== undefined && !others.has(name) && (item.table === name || others.has(item.table));
}

type Item = { readonly table: string; readonly content: string };

function itemsOf(tables: readonly TableSchema[]): ReadonlyMap<string, Item> {
  const items = new Map<string, Item>();
  for (const table of tables) {
    const { columns, ...rest } = table;
    const name = displayName(table);
    items.set(name, { table: name, content: JSON.stringify(rest) });
    for (const column of columns) items.set(`${name}.${quoteIdent(column.name)}`, { table: name, content: JSON.stringify(column) });
  }
  return items;
}
