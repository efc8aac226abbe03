import type { PlanSequence } from '../../plan/plan-sequence.ts';
import { failureText } from '../postgres/error-text.ts';
import type { Row, Session } from '../postgres/session.ts';

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

/** Each by itself, outside of any transaction: one that is missing leaves the others alone. */
export async function readSequences(session: Session, planned: readonly PlanSequence[]): Promise<readonly LiveSequence[]> {
  const found: LiveSequence[] = [];
  for (const each of planned) found.push(await readSequence(session, each));
  return found;
}

async function readSequence(session: Session, planned: PlanSequence): Promise<LiveSequence> {
  try {
    const row = (await session.query(planned.read)).rows[0];
    return row === undefined ? { kind: 'unreadable', planned, error: 'it is not a sequence' } : foundAs(planned, row);
  } catch (error) {
    if (!session.isOpen()) throw error;
    return { kind: 'unreadable', planned, error: failureText(error) };
  }
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
