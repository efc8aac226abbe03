import { failure } from '../plan/errors.ts';
import { sourcesOf } from '../plan/flows.ts';
import type { Plan, PlanSync } from '../plan/plan.ts';
import { refuseMissingRights } from '../runner/5-inspect/own-rights.ts';
import type { SyncName } from '../runner/8-round/control.ts';
import type { Session } from '../runner/postgres/session.ts';
import { loadNamed } from './change-options.ts';
import { databaseConnector } from './plan-databases.ts';
import type { VerbContext } from './verb.ts';

/** A sync of the plan by its name. */
export function plannedSync(plan: Plan, name: string): PlanSync {
  const sync = plan.syncs[name];
  if (sync) return sync;
  throw failure('invalid', { code: 'SAR609', message: `the plan has no sync ${name}`, hint: `It has: ${Object.keys(plan.syncs).join(', ')}` });
}

/** Does something in every source of the sync that the options name (all members of a multi-master sync), as a role that may do what a runner may. */
export async function atSources<T>(
  options: Readonly<Record<string, unknown>>,
  context: VerbContext,
  work: (source: Session, name: SyncName, planned: PlanSync) => Promise<T>,
): Promise<readonly T[]> {
  const { plan } = await loadNamed(options, context);
  const sync = String(options['sync']);
  const connect = databaseConnector(plan, context);
  const done: T[] = [];
  for (const { source: database, wake } of sourcesOf(plannedSync(plan, sync))) {
    const source = await connect(database, 'install');
    try {
      await refuseMissingRights(plan, source, 'runner');
      done.push(await work(source, { sync, wake }, plannedSync(plan, sync)));
    } finally {
      await source.close();
    }
  }
  return done;
}
