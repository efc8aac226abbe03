import { setTimeout as delay } from 'node:timers/promises';

export type WaitOptions = { readonly timeoutMs?: number; readonly everyMs?: number };

/** Polls until the condition gives something true and returns it; fails after the deadline with the last fault. The only timer of the tests. */
export async function waitUntil<T>(what: string, condition: () => T | Promise<T>, options: WaitOptions = {}): Promise<T> {
  const { timeoutMs = 20_000, everyMs = 20 } = options;
  const deadline = performance.now() + timeoutMs;
  let fault: unknown;
  do {
    try {
      const value = await condition();
      if (value) return value;
      fault = undefined;
    } catch (error) {
      fault = error;
    }
    await delay(everyMs);
  } while (performance.now() < deadline);
  throw new Error(`waited ${timeoutMs} ms in vain until ${what}`, { cause: fault });
}

/** A pause for workloads that must run for a given time. Never use it to wait for something. */
export async function pause(milliseconds: number): Promise<void> {
  await delay(milliseconds);
}
