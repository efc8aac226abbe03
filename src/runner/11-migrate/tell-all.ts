import { sourcesOf } from '../../plan/flows.ts';
import type { Generated } from '../../plan/generated-files.ts';
import { tellRunners } from '../8-round/control.ts';
import { type Migrating, sessionOf } from './migrating.ts';

/** Running streams look at the tables again. */
export async function tellAll(migrating: Migrating, { plan }: Generated): Promise<void> {
  for (const [sync, planned] of Object.entries(plan.syncs)) {
    for (const { source, wake } of sourcesOf(planned)) await tellRunners(sessionOf(migrating, source), { sync, wake });
  }
}
