import { planFor } from '../source.sql.ts';
import type { MemberState } from './session-member.ts';
import { intoStage, isForStage, type SetAside, writesOf } from './set-aside.ts';

/** Its rows are in the stage, or belong there. */
export function isLarge(aside: SetAside): boolean {
  return aside.isStaged || isForStage(aside);
}

export async function fillStage(state: MemberState, aside: SetAside): Promise<void> {
  const { createStage, loadRows } = writesOf(aside);
  if (!aside.isStaged) await state.session.query(createStage);
  await state.load(loadRows, intoStage(aside));
}

/** Lets the stage be read as a whole: everything is in it, once, and the planner knows how much that is. */
export async function readyStage(state: MemberState, aside: SetAside): Promise<void> {
  const { session } = state;
  const { analyzeStage, dropSettled } = writesOf(aside);
  if (isForStage(aside)) await fillStage(state, aside);
  await session.query(planFor('many'));
  await session.query(analyzeStage);
  if (aside.hasSettled) await session.query(dropSettled);
}
