import type { Clock } from '../clock.ts';

/** Rounds in a row before a stream takes its time: a burst is brought at once. */
const ROUNDS_AT_ONCE = 4;
/** Changes per second up to which every round follows the last one at once, and from which on the pause is the longest. */
const CALM = 500;
const BUSY = 3_000;
const LONGEST_PAUSE_MS = 120;

/** How long a stream leaves its source alone between two rounds. */
export type Pace = {
  /** After a round: milliseconds until the next look. `inRow` counts the rounds since a look found nothing, this one included. */
  after(entries: number, inRow: number): number;
};

/**
 * Under a steady load every look finds something, and a runner that looks again at once takes the processor, the commits and the
 * buffers from the applications whose changes it brings. What comes in an eighth of a second costs hardly more in one round than what
 * comes in a hundredth. So the pause follows the rate of changes: none where they are few, for then each of them is waited for.
 */
export function makePace(clock: Clock): Pace {
  const state = { last: clock.now(), perSecond: 0 };
  return {
    after: (entries, inRow) => {
      const now = clock.now();
      const perSecond = (entries * 1_000) / Math.max(1, now - state.last);
      state.last = now;
      state.perSecond = inRow === 1 ? 0 : (state.perSecond + perSecond) / 2;
      if (inRow < ROUNDS_AT_ONCE) return 0;
      const share = (state.perSecond - CALM) / (BUSY - CALM);
      return Math.round(LONGEST_PAUSE_MS * Math.min(1, Math.max(0, share)));
    },
  };
}
