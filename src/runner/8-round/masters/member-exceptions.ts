import type { HeldRow } from '../../../conflict/handlers/judge-failure.ts';
import type { ExceptionStatements } from '../../../plan/plan-masters.ts';
import { refuseChanged } from '../changed-tables/read-too-late.ts';
import { beginReading, endReading } from '../source.sql.ts';
import type { RowText } from './member.ts';
import type { RowAtFault } from './member-error.ts';
import { asSeen, fromOf, tableOf } from './member-reads.ts';
import { isLarge, readyStage } from './member-stage.ts';
import { rowsJson, type SetAside } from './set-aside.ts';
import type { MemberState } from './member-state.ts';

function statementsOf(state: MemberState, ordinal: number): ExceptionStatements {
  const { exceptions } = tableOf(state, ordinal).masters;
  if (exceptions === undefined) throw new Error(`nobody asks about rows of table ${ordinal}`);
  return exceptions;
}

/** The rows of keys as they will stand here once what was set aside for the table is written, in the order of the keys. */
export async function outcomesAt(state: MemberState, ordinal: number, keys: readonly (readonly string[])[]): Promise<readonly RowText[]> {
  const { outcome } = statementsOf(state, ordinal);
  const aside = state.pending.asides.get(ordinal);
  const asked = JSON.stringify(keys);
  const isStaged = aside !== undefined && isLarge(aside);
  if (isStaged) await readyStage(state, aside);
  const statement = isStaged
    ? { text: outcome.ofStage, values: [asked] }
    : { text: outcome.ofRows, values: [aside === undefined ? '[]' : rowsJson(aside), asked] };
  const [answer, altered] = await state.session.batch([statement, asSeen(state, [ordinal])]);
  refuseChanged(state.name, altered);
  return (answer?.lists ?? []).map(([isPresent, ...values]) => ({ isPresent: isPresent === 't', values }));
}

type Apart = Omit<HeldRow, 'member'>;

/** What stands here now under the keys, read between two rounds, and what of it not everybody has heard of. In the order of the keys. */
export async function heldApart(state: MemberState, ordinal: number, keys: readonly (readonly string[])[]): Promise<readonly Apart[]> {
  const { masters, columns } = tableOf(state, ordinal);
  const { changes } = statementsOf(state, ordinal);
  const values = [JSON.stringify(keys)];
  try {
    const answers = await state.session.batch([beginReading, ...fromOf(state, ordinal), { text: changes, values }, { text: masters.rowsOfKeys, values }]);
    const [made, rows] = [answers.at(-2)?.lists ?? [], answers.at(-1)?.lists ?? []];
    return rows.map(([present, ...found], place): Apart => {
      const [at, hasInsert] = made[place] ?? [];
      const row: RowText = { isPresent: present === 't', values: found.slice(0, columns.length) };
      if (at === null || at === undefined) return { row, at: null, op: null };
      return { row, at: BigInt(at), op: row.isPresent ? (hasInsert === 't' ? 'insert' : 'update') : 'delete' };
    });
  } finally {
    await state.session.query(endReading);
  }
}

type Excluded = { readonly ordinal: number; readonly aside: SetAside; readonly constraint: string | null };

/**
 * The row that arrives last of those that a unique index or an exclusion keeps out, with all that is in its way; null where the plan's
 * statements see none (an index of generated columns). In a transaction in which nothing of the table has been written.
 */
export async function excludedRow(state: MemberState, { ordinal, aside, constraint }: Excluded): Promise<RowAtFault | null> {
  const here = (tableOf(state, ordinal).masters.exceptions?.inTheWay ?? []).filter(({ members }) => members.includes(state.name));
  // A partition's index has a name of its own.
  const named = here.filter(({ index }) => index === constraint);
  const isStaged = isLarge(aside);
  if (isStaged) await readyStage(state, aside);
  const pairs: Pair[] = [];
  for (const { ofRows, ofStage } of named.length > 0 ? named : here) {
    const [answer] = await state.session.batch([isStaged ? { text: ofStage } : { text: ofRows, values: [rowsJson(aside)] }]);
    for (const [oneKey, one, at, otherKey, other] of answer?.lists ?? [])
      pairs.push({ oneKey: oneKey ?? '[]', one: one ?? '[]', at: BigInt(at ?? '0'), otherKey: otherKey ?? '[]', other: other ?? '[]' });
  }
  const [last] = pairs.sort((a, b) => (a.at === b.at ? byText(a.oneKey, b.oneKey) : a.at < b.at ? 1 : -1));
  if (last === undefined) return null;
  const names = tableOf(state, ordinal).key;
  const key = JSON.parse(last.oneKey) as readonly string[];
  const others = new Map(pairs.filter(({ oneKey }) => oneKey === last.oneKey).map(({ otherKey, other }) => [otherKey, other]));
  return {
    key: Object.fromEntries(names.map((name, place) => [name, key[place] ?? null])),
    row: rowFrom(last.one),
    inTheWay: [...others]
      .sort(([a], [b]) => byText(a, b))
      .map(([otherKey, other]) => ({ key: JSON.parse(otherKey) as readonly string[], row: rowFrom(other) })),
  };
}

/** Keys and rows as JSON arrays of texts. */
type Pair = { readonly oneKey: string; readonly one: string; readonly at: bigint; readonly otherKey: string; readonly other: string };

function rowFrom(json: string): RowText {
  return { isPresent: true, values: JSON.parse(json) as readonly (string | null)[] };
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
