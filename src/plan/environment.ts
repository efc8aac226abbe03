import { failure } from './errors.ts';
import type { Plan, PlanDatabase, PlanSync } from './plan.ts';
import type { PlanEnvironment } from './plan-environment.ts';

/**
 * The plan as it is in one environment: objects and statements are the same, endpoints and numbers are those of the environment. A plan that
 * has environments is never used without one that somebody named: what is meant for staging cannot reach production by being forgotten.
 */
export function bindEnvironment(plan: Plan, name: string | null): Plan {
  const { environments, ...rest } = plan;
  if (environments === undefined) {
    if (name === null) return plan;
    throw failure('invalid', {
      code: 'SAR325',
      message: `--env ${name}, but the plan has no environments`,
      hint: 'Leave --env out, or declare `environments` in the config and run `sarrio compile`.',
    });
  }
  const environment = name !== null && Object.hasOwn(environments, name) ? environments[name] : undefined;
  if (environment === undefined) throw unnamed(name, Object.keys(environments));
  return { ...rest, databases: boundDatabases(rest.databases, environment), syncs: boundSyncs(rest.syncs, environment) };
}

function unnamed(name: string | null, known: readonly string[]): Error {
  const list = known.map((each) => `--env ${each}`).join(' or ');
  return failure('invalid', {
    code: 'SAR325',
    message: name === null ? 'the plan has environments, and none is named' : `the plan has no environment ${name}`,
    hint: `Say which: ${list}.`,
  });
}

function boundDatabases(databases: Plan['databases'], environment: PlanEnvironment): Plan['databases'] {
  return Object.fromEntries(
    Object.entries(databases).map(([name, database]): [string, PlanDatabase] => [name, { ...database, url: environment.databases[name] ?? database.url }]),
  );
}

function boundSyncs(syncs: Plan['syncs'], { syncs: numbers = {} }: PlanEnvironment): Plan['syncs'] {
  return Object.fromEntries(Object.entries(syncs).map(([name, sync]) => [name, { ...sync, ...numbers[name] } as PlanSync]));
}
