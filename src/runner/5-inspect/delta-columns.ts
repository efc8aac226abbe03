import { contentHash } from '../../plan/canonical.ts';
import { CHANGE_COLUMNS } from '../../plan/change-columns.ts';
import type { Plan, PlanDatabase } from '../../plan/plan.ts';
import { displayName } from '../../sql/quote.ts';
import type { LiveObject } from './live-database.ts';

/** A partitioned delta table of ours (not one of its segments). */
export function isDelta(object: LiveObject): boolean {
  return object.kind === 'table' && object.bare.startsWith('delta_') && object.columns.some(({ name }) => name === 'change_xid');
}

/**
 * Whether a delta table holds other key columns than the plan wants. `create table if not exists` cannot mend that: the table has to
 * be made anew, and the changes in it are lost. A delta table that the plan does not have does not count.
 */
export function hasOtherKey(database: PlanDatabase, object: LiveObject): boolean {
  const capture = database.captures.find(({ delta }) => delta === object.name);
  const shape = capture ? database.shapes[displayName(capture.table)] : undefined;
  if (!shape || !isDelta(object)) return false;
  const wanted = Object.fromEntries(shape.key.map((name) => [name, shape.columns[name] ?? '']));
  const found = Object.fromEntries(object.columns.filter(({ name }) => !CHANGE_COLUMNS.has(name)).map(({ name, type }) => [name, type]));
  return contentHash(wanted) !== contentHash(found);
}

/** Delta tables (bare names) whose changes the plan would drop; `all` for removing everything. */
export function deltasAtRisk(options: { plan: Plan; database: string; objects: readonly LiveObject[]; all: boolean }): readonly string[] {
  const planned = options.plan.databases[options.database];
  const kept = new Set(planned?.captures.map(({ delta }) => delta));
  return options.objects
    .filter((object) => isDelta(object) && (options.all || !planned || !kept.has(object.name) || hasOtherKey(planned, object)))
    .map(({ bare }) => bare);
}
