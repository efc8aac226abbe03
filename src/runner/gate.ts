import type { Clock } from './clock.ts';

/** Something to wait at: everybody waiting goes on when it opens. */
export type Gate = {
  /** Waits until the gate opens, at most `ms`; not at all once it is closed for good. */
  wait(ms: number): Promise<void>;
  /** Lets everybody pass who waits now. */
  open(): void;
  /** Nobody waits here any more. */
  end(): void;
  readonly isEnded: () => boolean;
};

/** A reason, lest every opening make an error with a stack. */
const OPENED = 'opened';

export function makeGate(clock: Clock): Gate {
  const waiting = new Set<AbortController>();
  const state = { ended: false };
  const open = (): void => {
    for (const each of waiting) each.abort(OPENED);
  };
  return {
    wait: async (ms) => {
      if (state.ended) return;
      const each = new AbortController();
      waiting.add(each);
      await clock.sleep(ms, each.signal);
      waiting.delete(each);
    },
    open,
    end: () => {
      state.ended = true;
      open();
    },
    isEnded: () => state.ended,
  };
}
