import { cpus, loadavg } from 'node:os';
import { pause } from '../../test/support/wait.ts';

const LONGEST_WAIT_MS = 60_000;
const QUIET_LOAD = 1;
/** Our own last repetition keeps the load average up for a minute; what the processors do now says more. */
const QUIET_BUSY = 0.1;

/** The machine just before a repetition: load average of a minute, and the busy share of all processors within the last second. */
export type Quiet = { readonly load: number; readonly busy: number; readonly waitedMs: number };

/** Waits up to a minute until nobody else works here; says how it was. */
export async function waitForQuiet(): Promise<Quiet> {
  const start = performance.now();
  for (;;) {
    const busy = await busyShare();
    const quiet = { load: loadavg()[0] ?? 0, busy, waitedMs: Math.round(performance.now() - start) };
    if (quiet.load < QUIET_LOAD || busy < QUIET_BUSY || quiet.waitedMs > LONGEST_WAIT_MS) return quiet;
  }
}

async function busyShare(): Promise<number> {
  const before = times();
  await pause(1_000);
  const after = times();
  const total = after.total - before.total;
  return total === 0 ? 0 : 1 - (after.idle - before.idle) / total;
}

function times(): { readonly idle: number; readonly total: number } {
  const all = cpus().map(({ times: each }) => each);
  const idle = all.reduce((sum, each) => sum + each.idle, 0);
  return { idle, total: all.reduce((sum, { user, nice, sys, irq }) => sum + user + nice + sys + irq, idle) };
}
