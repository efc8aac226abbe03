import { formatPosition } from '../../../plan/position.ts';
import type { Acknowledger } from '../acknowledge.ts';
import { type KnownMarks, neededNoMore } from './known-marks.ts';
import { MemberError } from './member-error.ts';
import type { Present } from './masters-run.ts';

/** Who takes part, and what is known of how far each is. */
type Standing = { readonly present: readonly Present[]; readonly known: KnownMarks };

/** Tells the sources what their targets have on disk. */
export async function tickAll(standing: Standing): Promise<void> {
  await eachPair(standing, (acknowledger, position) => acknowledger.tick(position));
}

/** The same, and waits until the sources have it. */
export async function settleAll(standing: Standing): Promise<void> {
  await eachPair(standing, (acknowledger, position) => acknowledger.settle(position));
}

/** One after the other: the pairs of a member share its connection. Nothing that a stopped table still needs is acknowledged. */
async function eachPair({ present, known }: Standing, task: (acknowledger: Acknowledger, position: string) => Promise<void>): Promise<void> {
  for (const { slot, acknowledgers } of present) {
    for (const [source, acknowledger] of acknowledgers) {
      const applied = known.get(slot.index);
      const position = applied === undefined ? null : neededNoMore(applied, source);
      if (position === null) continue;
      await task(acknowledger, formatPosition(position)).catch((error: unknown) => {
        throw new MemberError(slot.index, slot.name, error);
      });
    }
  }
}
