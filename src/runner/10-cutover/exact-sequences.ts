import { failure } from '../../plan/errors.ts';
import type { PlanCarried } from '../../plan/plan-sequence.ts';
import { displayName } from '../../sql/quote.ts';
import { beyond } from '../8-round/sequences/carry-to.ts';
import { carryAll } from '../8-round/sequences/carrier.ts';
import { lookAt } from '../8-round/sequences/look.ts';
import type { CuttingOver } from './cutover-options.ts';

/**
 * Every sequence of the target goes to where the source's is (those that a margin has brought further stay there), and beyond every value
 * that stands in a column of the target. Then they are read back. The number of sequences.
 */
export async function carryExactly(cutting: CuttingOver): Promise<number> {
  const { planned, target, atSource, atTarget } = cutting;
  if (planned.sequences === undefined || planned.sequences === 'ignore') return 0;
  const carried = planned.sequences.carried.filter((each) => each.target === target);
  for (const { note } of await carryAll({ source: atSource, target: atTarget, margin: 0n }, carried)) {
    if (note.error !== null) throw notCarried(cutting, note.sequence, note.error);
  }
  for (const each of carried) await goBeyond(cutting, each);
  return carried.length;
}

async function goBeyond(cutting: CuttingOver, { to, lookTo, extremes, carry }: PlanCarried): Promise<void> {
  const { atTarget } = cutting;
  if (extremes === null) return;
  const taken = (await atTarget.query(extremes)).rows[0];
  const highest = taken?.['highest'] ? BigInt(taken['highest']) : null;
  const lowest = taken?.['lowest'] ? BigInt(taken['lowest']) : null;
  const [counting = 'gone'] = await lookAt(atTarget, [lookTo]);
  if (typeof counting === 'string') throw notCarried(cutting, displayName(to), counting);
  const further = beyond(counting, { highest, lowest });
  if (further.kind === 'cannot') throw notCarried(cutting, displayName(to), further.reason);
  if (further.kind === 'set') await atTarget.query(carry, [String(further.value), further.isCalled ? 't' : 'f']);
}

function notCarried({ sync, target }: CuttingOver, sequence: string, reason: string): Error {
  return failure('refused', {
    code: 'SAR808',
    where: `database ${target}, sequence ${sequence}`,
    message: `it cannot be brought to where the source's is: ${reason}`,
    hint: `Put the sequence right in ${target}, then run sarrio cutover ${sync} again.`,
  });
}
