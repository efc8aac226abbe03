import type { RowText } from './row-text.ts';

/**
 * For one key, what stood at a member before the first of its changes that another one has not seen, as capture has kept it: sixteen digits of
 * time, then `-` for no row, or a record of the layout's name and the columns. Null, `?` or another layout: nobody knows.
 */
export type Befores = (member: number, other: number) => string | null;

/**
 * The last row that all candidates had in common. What a member held before its first change that another one has not seen was made of
 * changes that this one has seen; so where each of them held the same before that, for each of the others, it is the row from which they
 * went apart. Where they did not (one has never had the other's row, or a rule has left them apart), nobody knows of one: null, never a guess.
 */
export function commonRow(candidates: readonly number[], befores: Befores, { layout, columns }: { layout: string; columns: number }): RowText | null {
  const found = candidates.flatMap((member) => candidates.filter((other) => other !== member).map((other) => befores(member, other)?.slice(STAMP) ?? null));
  const [first = null] = found;
  if (first === null || found.some((each) => each !== first)) return null;
  if (first === '-') return { isPresent: false, values: [] };
  const [named, ...values] = recordValues(first) ?? [];
  return named === layout && values.length === columns ? { isPresent: true, values } : null;
}

const STAMP = 16;

/** The values in PostgreSQL's text of a record; null where it is none. Nothing between two commas is null, quotes may stand around a value. */
export function recordValues(text: string): readonly (string | null)[] | null {
  if (!text.startsWith('(') || !text.endsWith(')')) return null;
  const values: (string | null)[] = [];
  let value: string | null = null;
  let isQuoted = false;
  for (let place = 1; place < text.length; place += 1) {
    const character = text.charAt(place);
    if (isQuoted && (character === '"' || character === '\\') && (character === '\\' || text.charAt(place + 1) === '"')) {
      place += 1;
      value = (value ?? '') + text.charAt(place);
    } else if (character === '"') {
      isQuoted = !isQuoted;
      value ??= '';
    } else if (!isQuoted && (character === ',' || place === text.length - 1)) {
      values.push(value);
      value = null;
    } else {
      value = (value ?? '') + character;
    }
  }
  return isQuoted ? null : values;
}
