import { setTimeout as wait } from 'node:timers/promises';

/** Time for waiting and for what people read. Decisions about data use database time only. */
export type Clock = {
  /** Milliseconds, never going backwards, from an unspecified start. */
  now(): number;
  /** Ends early, without an error, when the signal is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** A number in [0, 1), for jitter. */
  random(): number;
};

/** The machine's clock. Tests pass their own. */
export const systemClock: Clock = {
  now: () => performance.now(),
  random: () => Math.random(),
  sleep: async (ms, signal) => {
    try {
      await wait(ms, undefined, signal ? { signal } : {});
    } catch (error) {
      if (!(error instanceof Error && error.name === 'AbortError')) throw error;
    }
  },
};

/** The day by UTC, `2026-11-27`: for approvals that end with a day. */
export function today(): string {
  return new Date().toISOString().slice(0, 10);
}
