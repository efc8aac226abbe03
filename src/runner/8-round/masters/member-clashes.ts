import { refuseChanged } from '../changed-tables/read-too-late.ts';
import { planFor } from '../joins.sql.ts';
import type { ClashPair, ClashingText } from './member.ts';
import { asSeen, fromOf, tableOf } from './member-reads.ts';
import { isLarge, readyStage } from './member-stage.ts';
import { rowsJson } from './set-aside.ts';
import type { MemberState } from './member-state.ts';

/** Above this number of rows the planner has its choice how to join them. */
const FEW_TO_COMPARE = 50;

/** Pairs of rows that hold one unique value, among what was set aside here and what stays here. */
export async function clashesAt(state: MemberState, ordinal: number): Promise<readonly ClashPair[]> {
  const { clashes } = tableOf(state, ordinal).masters;
  const aside = state.pending.asides.get(ordinal);
  if (clashes === null || aside === undefined) return [];
  const { session } = state;
  const isStaged = isLarge(aside);
  if (isStaged) await readyStage(state, aside);
  const statement = isStaged ? { text: clashes.ofStage } : { name: `sarrio_masters_clashes_${ordinal}`, text: clashes.ofRows, values: [rowsJson(aside)] };
  // Some hundred rows are compared with each other: never each with each.
  const isMiddling = !isStaged && aside.rows.length > FEW_TO_COMPARE;
  const [before, after] = isMiddling ? [[{ text: planFor('many') }], [{ text: planFor('few') }]] : [[], []];
  const answers = await session.batch([...fromOf(state, ordinal), ...before, statement, asSeen(state, [ordinal]), ...after]);
  refuseChanged(state.name, answers.at(-1 - after.length));
  return (answers.at(-2 - after.length)?.lists ?? []).map(([index, oneKey, oneRow, oneAt, otherKey, otherRow, otherAt, stands]) => ({
    index: index ?? '',
    one: clashing(oneKey, oneRow, { at: oneAt ?? null, isStanding: false }),
    other: clashing(otherKey, otherRow, { at: otherAt ?? null, isStanding: stands === 't' }),
  }));
}

function clashing(
  key: string | null | undefined,
  row: string | null | undefined,
  { at, isStanding }: { at: string | null; isStanding: boolean },
): ClashingText {
  return {
    key: JSON.parse(key ?? '[]') as readonly string[],
    row: { isPresent: true, values: JSON.parse(row ?? '[]') as readonly (string | null)[] },
    at: at === null ? null : BigInt(at),
    isStanding,
  };
}
