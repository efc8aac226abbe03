import type { Clock } from '../../clock.ts';
import type { Throttle } from '../../postgres/copy.ts';

/** Lets so many bytes a second pass, all jobs of a copy together; null when there is no bound. */
export function makeThrottle(clock: Clock, bytesPerSecond: number | undefined): Throttle | null {
  if (bytesPerSecond === undefined) return null;
  const state = { freeAt: clock.now() };
  return async (bytes) => {
    const now = clock.now();
    const waits = state.freeAt - now;
    state.freeAt = Math.max(now, state.freeAt) + (bytes / bytesPerSecond) * 1000;
    if (waits > 0) await clock.sleep(waits);
  };
}
