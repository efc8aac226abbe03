import { failureText } from '../../postgres/error-text.ts';
import { lookAtAll } from './sequences.sql.ts';
import type { Result, Row } from '../../postgres/statement.ts';

/** A sequence as it is. */
export type Counting = {
  /** The value that it has given last; while it has given none, the one before its first. */
  readonly given: bigint;
  /** The value that it says, given or (while not called) to come. */
  readonly last: bigint;
  readonly isCalled: boolean;
  readonly increment: bigint;
  readonly least: bigint;
  readonly most: bigint;
  readonly cycles: boolean;
};

/** Whatever answers statements: a session, or a source outside of its rounds. */
export type Asked = { query(text: string, values?: readonly (string | null)[]): Promise<Result>; isOpen(): boolean };

/** By the order of `looks`, in one statement; a text says why one could not be read. When one of them fails, each is asked by itself. */
export async function lookAt(asked: Asked, looks: readonly string[]): Promise<readonly (Counting | string)[]> {
  if (looks.length === 0) return [];
  const together = await tried(asked, () => asked.query(lookAtAll(looks)));
  if (typeof together !== 'string') {
    const found = new Map(together.rows.map((row) => [Number(row['ordinal']), countingOf(row)]));
    return looks.map((_, index) => found.get(index) ?? 'it is not a sequence');
  }
  if (looks.length === 1) return [together];
  const each: (Counting | string)[] = [];
  for (const look of looks) each.push(...(await lookAt(asked, [look])));
  return each;
}

/** An error of the statement as its text; a lost connection is the caller's. */
export async function tried<T>(asked: Pick<Asked, 'isOpen'>, work: () => Promise<T>): Promise<T | string> {
  try {
    return await work();
  } catch (error) {
    if (!asked.isOpen()) throw error;
    return failureText(error);
  }
}

function countingOf(row: Row): Counting {
  const [last, increment] = [BigInt(row['last'] ?? '0'), BigInt(row['increment'] ?? '1')];
  const isCalled = row['is_called'] === 't';
  return {
    given: isCalled ? last : last - increment,
    last,
    isCalled,
    increment,
    least: BigInt(row['least'] ?? '0'),
    most: BigInt(row['most'] ?? '0'),
    cycles: row['cycles'] === 't',
  };
}
