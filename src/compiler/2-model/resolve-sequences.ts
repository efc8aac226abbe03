import type { MultiMasterSync, OneWaySync } from '../../index.ts';
import type { ModelMultiMaster, ModelOneWay } from './model.ts';

/** Slots when the config does not say how many: members may come, and nobody has to count anew. */
const SLOTS = 8;

/** What becomes of the sequences; with more members than usual, slots for all of them and as many again at most. */
export function resolveSequences(choice: MultiMasterSync['sequences'], members: number): ModelMultiMaster['sequences'] {
  if (choice === undefined) return null;
  if (choice === 'ignore') return 'ignore';
  if (choice !== 'interleave') return { slots: choice.interleave.slots };
  return { slots: Math.max(SLOTS, 2 ** Math.ceil(Math.log2(members))) };
}

/** How many values the targets' sequences are ahead when the config does not say it. */
const MARGIN = 1_000;

export function resolveCarry(choice: OneWaySync['sequences']): ModelOneWay['sequences'] {
  if (choice === undefined) return null;
  if (choice === 'ignore') return 'ignore';
  return { margin: choice === 'carry' ? MARGIN : choice.carry.margin };
}
