import type { RowText } from './row-text.ts';

/** What a record holds in place of a masked column's value, null or not. */
export const MASK = '(masked)';

/** The row by column names, as it is recorded. */
export function recordedRow(columns: readonly string[], { values }: RowText, mask: readonly string[]): Readonly<Record<string, string | null>> {
  return Object.fromEntries(columns.map((name, index) => [name, mask.includes(name) ? MASK : (values[index] ?? null)]));
}
