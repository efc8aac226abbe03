import type { CopySettings } from '../../index.ts';
import type { PlanCopy } from '../../plan/plan-copy.ts';
import { bytesOf } from './resolve-backlog.ts';

/** How initial copies are made, where the config says it; the forms were checked when it was loaded. */
export function resolveCopy(copy: CopySettings | undefined): PlanCopy | null {
  if (copy === undefined) return null;
  const { jobs, chunk, rate, rebuildIndexes = false } = copy;
  return {
    ...(jobs === undefined ? {} : { jobs }),
    ...(chunk === undefined ? {} : { chunkBytes: bytesOf(chunk) }),
    ...(rate === undefined ? {} : { bytesPerSecond: bytesOf(rate) }),
    ...(rebuildIndexes ? { rebuildIndexes } : {}),
  };
}
