import type { ConfigPath } from '../fault.ts';

/** The settings that take a function. */
export type Hook = 'onConflict' | 'onUnique' | 'onException';

const HOOKS: readonly Hook[] = ['onConflict', 'onUnique', 'onException'];

/** Where a function stands in an evaluated config. */
export type HandlerPlace = {
  readonly path: ConfigPath;
  /** The function; one that stands in several places is one handler. */
  readonly value: unknown;
  readonly hook: Hook;
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
  const own = HOOKS.map((hook): HandlerPlace => ({ path: ['syncs', sync, hook], value: value[hook], hook, sync, table: null, index: -1 }));
  const ofTables = tables.flatMap((each, index) =>
    HOOKS.map((hook): HandlerPlace => {
      const entry = objectOf(each);
      return { path: ['syncs', sync, 'tables', index, hook], value: entry[hook], hook, sync, table: String(entry['table']), index };
    }),
  );
  return [...own, ...ofTables].filter((place) => typeof place.value === 'function');
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
