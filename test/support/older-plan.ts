import { CORE_SCHEMA, dump } from 'js-yaml';
import { contentHash } from '../../src/plan/canonical.ts';
import type { Plan } from '../../src/plan/plan.ts';

/** The plan's file as a version of the time of that format wrote it: its checksum was that of the content as JSON. */
export function olderPlan(plan: Plan, format: '1.2' | '1.3'): string {
  const older = { ...plan, format };
  return dump({ ...older, checksum: contentHash(older) }, { schema: CORE_SCHEMA });
}
