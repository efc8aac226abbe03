import { planFor } from '../joins.sql.ts';
import { intoStage, isForStage, type SetAside, writesOf } from './set-aside.ts';
import type { MemberState } from './member-state.ts';

/** Its rows are in the stage, or belong there. */
export function isLarge(aside: SetAside): boolean {
  return aside.isStaged || isForStage(aside);
}

export async function fillStage(state: MemberState, aside: SetAside): Promise<void> {
  const { createStage, loadRows } = writesOf(aside);
  if (!aside.isStaged) await state.session.query(createStage);
  await state.load(loadRows, intoStage(aside));
}

/** Everything is in the stage, and the planner knows how much that is. */
export async function fillStageWhole(state: MemberState, aside: SetAside): Promise<void> {
  const { session } = state;
  if (isForStage(aside)) await fillStage(state, aside);
  await session.query(planFor('many'));
  await session.query(writesOf(aside).analyzeStage);
}

/** Delivered rows give way to settled ones of the same key. */
export async function dropSettledRows({ session }: MemberState, aside: SetAside): Promise<void> {
  if (aside.hasSettled) await session.query(writesOf(aside).dropSettled);
}

/** Lets the stage be read as a whole: everything is in it, once. Nothing in it was decided where it stands: such tables have no handler that asks. */
export async function readyStage(state: MemberState, aside: SetAside): Promise<void> {
  await fillStageWhole(state, aside);
  await dropSettledRows(state, aside);
}
