import type { RunOptions, SyncRun } from '../sync-runner.ts';

/** Placeholder: rounds between masters are not written yet. */
export function startMasters(_options: RunOptions, name: string): SyncRun {
  throw new Error(`multi-master sync ${name} cannot run yet`);
}
