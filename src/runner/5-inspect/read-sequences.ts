import type { PlanSequence } from '../../plan/plan-sequence.ts';
import { failureText } from '../postgres/error-text.ts';
import type { Attempt } from '../postgres/question.ts';
import type { Row } from '../postgres/statement.ts';

/** A user's sequence that the plan lets count in steps, as it is. */
export type LiveSequence = { readonly planned: PlanSequence } & (
  | { readonly kind: 'unreadable'; readonly error: string }
  | {
      readonly kind: 'found';
      readonly increment: bigint;
      readonly least: bigint;
      readonly most: bigint;
      readonly cycles: boolean;
      /** The value that it gives next. */
      readonly next: bigint;
      /** The highest value that it has given, or that stands in its columns; null when there is none. */
      readonly highest: bigint | null;
      /** A value of its own slot that stands in a column although it is still to come; null when there is none. */
      readonly taken: bigint | null;
    }
);

/** Each by what its own statement gave: one that is missing leaves the others alone. */
export function sequencesOf(planned: readonly PlanSequence[], attempts: readonly Attempt[]): readonly LiveSequence[] {
  return planned.map((each, place): LiveSequence => {
    const attempt = attempts[place];
    if (attempt?.kind !== 'answered') return { kind: 'unreadable', planned: each, error: failureText(attempt?.error) };
    const [row] = attempt.rows;
    return row === undefined ? { kind: 'unreadable', planned: each, error: 'it is not a sequence' } : foundAs(each, row);
  });
}

function foundAs(planned: PlanSequence, row: Row): LiveSequence {
  const [increment, last] = [whole(row['increment']) ?? 1n, whole(row['last']) ?? 0n];
  const isCalled = row['is_called'] === 't';
  const values = [isCalled ? last : null, whole(row['highest'])].flatMap((value) => value ?? []);
  return {
    kind: 'found',
    planned,
    increment,
    least: whole(row['least']) ?? 0n,
    most: whole(row['most']) ?? 0n,
    cycles: row['cycles'] === 't',
    next: isCalled ? last + increment : last,
    highest: values.length === 0 ? null : largest(values),
    taken: whole(row['taken']),
  };
}

/** Of one at least. */
export function largest(values: readonly bigint[]): bigint {
  return values.reduce((found, each) => {
    if (each > found) return each;
    return found;
  });
}

/** A column of decimals may hold fractions: the next whole number above. */
function whole(text: string | null | undefined): bigint | null {
  if (text === null || text === undefined) return null;
  const [integer = '0', fraction = ''] = text.split('.');
  return BigInt(integer) + (/[1-9]/.test(fraction) && !integer.startsWith('-') ? 1n : 0n);
}
