import type { RowText } from '../row-text.ts';
import type { HandlerShape } from './message.ts';
import { type EncodedValue, handlerValue, textOf } from './values.ts';

/** Columns that a handler has given values for. */
export type Given = readonly (readonly [column: string, value: EncodedValue])[];

/** What values are put into, and the other rows of the same key that the handler was shown. */
export type Merging = { readonly base: RowText; readonly key: readonly string[]; readonly rows: readonly RowText[] };

/** The row with the given columns changed, in the plan's order; only columns that exist, values that fit, the same key. */
export function mergedValues(
  shape: HandlerShape,
  merging: Merging,
  given: Given,
): { readonly values: readonly (string | null)[] } | { readonly fault: string } {
  const values = [...merging.base.values];
  const found = givenTexts(shape, { call: 'merge(…)', key: merging.key, rows: [merging.base, ...merging.rows] }, given);
  if ('fault' in found) return found;
  for (const [index, text] of found.texts) values[index] = text;
  return { values };
}

/** Texts for columns, by their places in the plan's order. */
export type GivenTexts = { readonly texts: readonly (readonly [place: number, text: string | null])[] } | { readonly fault: string };

/** What is known of the row: its key, null for one that is new, and rows whose values the handler was shown. */
type Known = { readonly call: string; readonly key: readonly string[] | null; readonly rows: readonly RowText[] };

/** Values as PostgreSQL's text; only columns that exist and values that fit. Of a row that is there the key stays as it is. */
export function givenTexts(shape: HandlerShape, known: Known, given: Given): GivenTexts {
  const texts: (readonly [number, string | null])[] = [];
  for (const [name, value] of given) {
    const index = shape.columns.findIndex((column) => column.name === name);
    if (index < 0) return { fault: `${known.call}: ${shape.table} has no column '${name}' in this sync` };
    const text = textFor(shape, known, { index, value });
    if ('fault' in text)
      return { fault: `${known.call}, column ${name}: ${shape.masked?.includes(name) ? 'its value, which is masked, does not fit' : text.fault}` };
    texts.push([index, text.text]);
  }
  return { texts };
}

/** A value that some row has keeps that row's text; a key's column must be such a one. */
function textFor(shape: HandlerShape, { key, rows }: Known, { index, value }: { index: number; value: EncodedValue }): ReturnType<typeof textOf> {
  const { name, type } = shape.columns[index] ?? { name: '', type: '' };
  const known = rows.filter(({ isPresent }) => isPresent).map((row) => row.values[index] ?? null);
  const wanted = JSON.stringify(value);
  const place = key === null ? -1 : shape.key.indexOf(name);
  if (place >= 0) {
    const own = key?.[place] ?? null;
    const isOwn = [own, ...known].some((text) => JSON.stringify(handlerValue(text, type)) === wanted);
    return isOwn ? { text: known[0] ?? own } : { fault: 'it belongs to the key, which cannot be changed' };
  }
  const same = known.find((text) => JSON.stringify(handlerValue(text, type)) === wanted);
  return same === undefined ? textOf(value, type) : { text: same };
}
