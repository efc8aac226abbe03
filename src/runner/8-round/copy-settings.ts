import type { Flow } from '../../plan/flows.ts';
import type { Clock } from '../clock.ts';
import type { InitialCopy } from './copying.ts';
import { makeThrottle } from './ranges/throttle.ts';

/** Tables and ranges copied at the same time: one COPY keeps about one core of each server busy. */
const DEFAULTS = { jobs: 2, chunkBytes: 128 * 1024 ** 2 } as const;

/** How an initial copy is made: `jobs` of the run beat those of the config. */
export function copySettings(
  { copy }: Pick<Flow, 'copy'>,
  run: { readonly jobs?: number | null; readonly clock: Clock },
): Pick<InitialCopy, 'jobs' | 'chunkBytes' | 'throttle'> {
  return {
    jobs: run.jobs ?? copy?.jobs ?? DEFAULTS.jobs,
    chunkBytes: copy?.chunkBytes ?? DEFAULTS.chunkBytes,
    throttle: makeThrottle(run.clock, copy?.bytesPerSecond),
  };
}
