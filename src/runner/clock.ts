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
  sleep,
};

/** Milliseconds since 1970, for moments that people write and read. */
export function unixTime(): number {
  return Date.now();
}

/** The day by UTC, `2026-11-27`: for approvals that end with a day. */
export function today(): string {
  return new Date().toISOString().slice(0, 10);
}

/** Several times a round; the one of `node:timers/promises` ends by an error with a stack, which costs more than all the rest of it. */
function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) {
      resolve();
      return;
    }
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal?.addEventListener('abort', end);
  });
}
