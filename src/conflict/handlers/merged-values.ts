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
  for (const [name, value] of given) {
    const index = shape.columns.findIndex((column) => column.name === name);
    if (index < 0) return { fault: `merge(…): ${shape.table} has no column '${name}' in this sync` };
    const text = textFor(shape, merging, { index, value });
    if ('fault' in text)
      return { fault: `merge(…), column ${name}: ${shape.masked?.includes(name) ? 'its value, which is masked, does not fit' : text.fault}` };
    values[index] = text.text;
  }
  return { values };
}

/** A value that some row has keeps that row's text; a key's column must be such a one. */
function textFor(shape: HandlerShape, { base, key, rows }: Merging, { index, value }: { index: number; value: EncodedValue }): ReturnType<typeof textOf> {
  const { name, type } = shape.columns[index] ?? { name: '', type: '' };
  const known = [base, ...rows].filter(({ isPresent }) => isPresent).map((row) => row.values[index] ?? null);
  const wanted = JSON.stringify(value);
  const place = shape.key.indexOf(name);
  const same = known.find((text) => JSON.stringify(handlerValue(text, type)) === wanted);
  if (same !== undefined) return { text: same };
  if (place >= 0 && JSON.stringify(handlerValue(key[place] ?? null, type)) === wanted) return { text: base.values[index] ?? null };
  return place >= 0 ? { fault: 'it belongs to the key, which cannot be changed' } : textOf(value, type);
}
