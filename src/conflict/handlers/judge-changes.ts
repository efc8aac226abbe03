import type { RowText } from '../row-text.ts';
import { givenTexts } from './merged-values.ts';
import type { ChangeMessage, HandlerShape } from './message.ts';
import { handlerValue, textOf } from './values.ts';

/** A change that a handler has asked for, in the round's terms. */
export type JudgedChange = {
  readonly change: 'update' | 'insert' | 'remove';
  /** `public.customers`. */
  readonly table: string;
  /** As text, in the order of the shape's `key`. */
  readonly key: readonly string[];
  /** Texts of columns, by their places in the plan's order; of an insert all of them. */
  readonly values: readonly (readonly [place: number, text: string | null])[];
};

/** So many rows an answer may change. */
export const MOST_CHANGES = 100;

type Judged<T> = T | { readonly fault: string };

/** Rows of a table that the handler was shown: a value that it gives back unchanged keeps the text that it had. */
type Shown = { readonly table: string; readonly rows: readonly RowText[] };

/** Only rows of the sync's tables by their whole keys, each once; only columns that exist, and values that fit. */
export function judgeChanges(
  shapes: readonly HandlerShape[],
  changes: readonly ChangeMessage[],
  shown: Shown,
): Judged<{ readonly changes: readonly JudgedChange[] }> {
  if (changes.length > MOST_CHANGES) return { fault: `retry(…) with ${changes.length} changes; at most ${MOST_CHANGES} rows may be changed` };
  const judged: JudgedChange[] = [];
  for (const change of changes) {
    const shape = shapes.find(({ table }) => table === change.table);
    if (shape === undefined)
      return { fault: `${callOf(change)}: the sync has no table ${change.table}; there are ${shapes.map(({ table }) => table).join(', ')}` };
    const rows = shown.table === shape.table ? shown.rows : [];
    const found = change.change === 'insert' ? judgeInsert(shape, change) : judgeOfKey(shape, change, rows);
    if ('fault' in found) return found;
    const isTwice = judged.some(({ table, key }) => table === found.table && JSON.stringify(key) === JSON.stringify(found.key));
    if (isTwice) return { fault: `${callOf(change)}: the row ${shownKey(shape, found.key)} of ${shape.table} is changed twice` };
    judged.push(found);
  }
  return { changes: judged };
}

export function callOf({ change }: Pick<ChangeMessage, 'change'>): string {
  return `${change}(…)`;
}

/** `id = 7`. */
export function shownKey({ key: names }: Pick<HandlerShape, 'key'>, key: readonly string[]): string {
  return names.map((name, place) => `${name} = ${key[place] ?? ''}`).join(', ');
}

function judgeOfKey(shape: HandlerShape, change: ChangeMessage, rows: readonly RowText[]): Judged<JudgedChange> {
  const key = keyOf(shape, change, rows);
  if ('fault' in key) return key;
  const found = givenTexts(shape, { call: callOf(change), key: key.texts, rows }, change.values);
  if ('fault' in found) return found;
  // The key is the row's own; its text is the server's.
  const values = found.texts.filter(([place]) => !shape.key.includes(shape.columns[place]?.name ?? ''));
  return { change: change.change, table: shape.table, key: key.texts, values };
}

/** Exactly the key's columns: a part of them would be many rows. */
function keyOf(shape: HandlerShape, change: ChangeMessage, rows: readonly RowText[]): Judged<{ readonly texts: readonly string[] }> {
  const given = new Map(change.key);
  const names = shape.key.join(', ');
  const isWhole = given.size === shape.key.length && shape.key.every((name) => given.has(name));
  if (!isWhole) return { fault: `${callOf(change)} of ${shape.table} wants the key's columns, ${names}, and got ${[...given.keys()].join(', ') || 'none'}` };
  const texts: string[] = [];
  for (const name of shape.key) {
    const place = shape.columns.findIndex((column) => column.name === name);
    const type = shape.columns[place]?.type ?? 'text';
    const value = given.get(name) ?? null;
    const wanted = JSON.stringify(value);
    const same = rows.map((row) => row.values[place] ?? null).find((text) => text !== null && JSON.stringify(handlerValue(text, type)) === wanted);
    const found = same === undefined ? textOf(value, type) : { text: same };
    if ('fault' in found) return { fault: `${callOf(change)}, key column ${name}: ${found.fault}` };
    if (found.text === null) return { fault: `${callOf(change)}, key column ${name}: a key is never null` };
    texts.push(found.text);
  }
  return { texts };
}

function judgeInsert(shape: HandlerShape, change: ChangeMessage): Judged<JudgedChange> {
  const found = givenTexts(shape, { call: callOf(change), key: null, rows: [] }, change.values);
  if ('fault' in found) return found;
  const given = new Map(found.texts);
  const missing = shape.key.filter((name) => (given.get(shape.columns.findIndex((column) => column.name === name)) ?? null) === null);
  if (missing.length > 0) return { fault: `${callOf(change)} of ${shape.table} wants the key's columns, and got none of ${missing.join(', ')}` };
  const values = shape.columns.map((_, place) => [place, given.get(place) ?? null] as const);
  const key = shape.key.map((name) => given.get(shape.columns.findIndex((column) => column.name === name)) ?? '');
  return { change: 'insert', table: shape.table, key, values };
}
