import type { ConfigPath } from '../fault.ts';

/** Where a function stands in an evaluated config. */
export type HandlerPlace = {
  readonly path: ConfigPath;
  /** The function; one that stands in several places is one handler. */
  readonly value: unknown;
  readonly hook: 'onConflict';
  readonly sync: string;
  /** The table's name or pattern; null for the sync's own. */
  readonly table: string | null;
  /** Of the table in the sync's list; -1 for the sync's own. */
  readonly index: number;
};

/** Every function that is to be a handler, in the order of the config. Looks at a value that nobody has checked yet. */
export function handlerPlaces(config: unknown): readonly HandlerPlace[] {
  return Object.entries(objectOf(objectOf(config)['syncs'])).flatMap(([sync, value]) => placesOf(sync, objectOf(value)));
}

function placesOf(sync: string, value: Readonly<Record<string, unknown>>): readonly HandlerPlace[] {
  const tables: readonly unknown[] = Array.isArray(value['tables']) ? value['tables'] : [];
  if (value['mode'] !== 'multi-master') return [];
  const own: HandlerPlace = { path: ['syncs', sync, 'onConflict'], value: value['onConflict'], hook: 'onConflict', sync, table: null, index: -1 };
  const ofTables = tables.flatMap((each, index): readonly HandlerPlace[] => {
    const { table, onConflict } = objectOf(each);
    if (typeof onConflict !== 'function') return [];
    return [{ path: ['syncs', sync, 'tables', index, 'onConflict'], value: onConflict, hook: 'onConflict', sync, table: String(table), index }];
  });
  return typeof value['onConflict'] === 'function' ? [own, ...ofTables] : ofTables;
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
