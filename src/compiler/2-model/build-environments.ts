import type { EnvironmentNumbers, ReplicationConfig, SyncConfig } from '../../index.ts';
import { byCodeUnit } from '../../plan/canonical.ts';
import type { PlanEnvironment, PlanNumbers } from '../../plan/plan-environment.ts';
import { parseSchedule } from '../../plan/schedule.ts';
import { lockTimeoutOf } from './build-full-copy.ts';
import { resolveBacklog } from './resolve-backlog.ts';
import { resolveCopy } from './resolve-copy.ts';
import { resolveGuard } from './resolve-guard.ts';
import { resolveKeeping, resolveSkew } from './resolve-skew.ts';

/** The settings that an environment may give other numbers, by the mode of the sync. */
export const NUMBERS: Readonly<Record<SyncConfig['mode'], readonly (keyof EnvironmentNumbers)[]>> = {
  'one-way': ['maxBacklog', 'copy', 'guard'],
  'multi-master': ['maxBacklog', 'copy', 'maxClockSkew', 'keepConflicts'],
  'full-copy': ['every', 'lockTimeout'],
};

/** Endpoints and numbers of every environment, with the sync's own where it says nothing; ordered by name. What does not fit, a rule of phase 3 refuses. */
export function buildEnvironments({ environments = {}, syncs }: ReplicationConfig): Readonly<Record<string, PlanEnvironment>> {
  const built = sorted(environments).map(([name, { databases, syncs: numbers = {} }]): [string, PlanEnvironment] => {
    const endpoints = Object.fromEntries(sorted(databases).map(([database, { env }]) => [database, { env }]));
    const bound = sorted(numbers).flatMap(([sync, given]) => {
      const declared = Object.hasOwn(syncs, sync) ? syncs[sync] : undefined;
      return declared === undefined || given === undefined ? [] : [[sync, numbersOf(declared, given)] as const];
    });
    return [name, { databases: endpoints, ...(bound.length === 0 ? {} : { syncs: Object.fromEntries(bound) }) }];
  });
  return Object.fromEntries(built);
}

/** Whole fields of the plan: half of one would have to be put together by whoever reads it. */
function numbersOf(sync: SyncConfig, given: EnvironmentNumbers): PlanNumbers {
  const maxBacklog = resolveBacklog(given.maxBacklog);
  const copy = sync.mode !== 'full-copy' && given.copy !== undefined ? resolveCopy({ ...sync.copy, ...given.copy }) : null;
  const guard = sync.mode === 'one-way' && given.guard !== undefined ? resolveGuard({ ...sync.guard, ...given.guard }) : null;
  const schedule = given.every === undefined ? null : parseSchedule(given.every, undefined);
  return {
    ...(maxBacklog === null ? {} : { maxBacklog }),
    ...(copy === null ? {} : { copy }),
    ...(guard === null ? {} : { guard }),
    ...(given.maxClockSkew === undefined ? {} : { maxClockSkewMs: resolveSkew(given.maxClockSkew) }),
    ...(given.keepConflicts === undefined ? {} : { keepConflictsHours: resolveKeeping(given.keepConflicts) }),
    ...(schedule === null || schedule.kind === 'fault' ? {} : { schedule }),
    ...(given.lockTimeout === undefined ? {} : { lockTimeoutMs: lockTimeoutOf(given.lockTimeout) }),
  };
}

function sorted<Value>(record: Readonly<Record<string, Value>>): [string, Value][] {
  return Object.entries(record).sort(([left], [right]) => byCodeUnit(left, right));
}
