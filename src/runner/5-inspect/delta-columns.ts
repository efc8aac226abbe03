import { CHANGE_COLUMNS } from '../../plan/change-columns.ts';
import type { Plan, PlanDatabase, TableShape } from '../../plan/plan.ts';
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
  const shape = isDelta(object) ? shapesByDelta(database).get(object.name) : undefined;
  if (!shape) return false;
  const found = object.columns.filter(({ name }) => !CHANGE_COLUMNS.has(name));
  return found.length !== shape.key.length || found.some(({ name, type }) => !shape.key.includes(name) || shape.columns[name] !== type);
}

/** Of the captured tables; asked for each delta table of the same few databases. */
const known = new WeakMap<PlanDatabase, ReadonlyMap<string, TableShape>>();

function shapesByDelta(database: PlanDatabase): ReadonlyMap<string, TableShape> {
  const found =
    known.get(database) ??
    new Map(
      database.captures.flatMap(({ delta, table }) => {
        const shape = database.shapes[displayName(table)];
        return shape ? [[delta, shape] as const] : [];
      }),
    );
  known.set(database, found);
  return found;
}

/** Delta tables (bare names) whose changes the plan would drop; `all` for removing everything. */
export function deltasAtRisk(options: { plan: Plan; database: string; objects: readonly LiveObject[]; all: boolean }): readonly string[] {
  const planned = options.plan.databases[options.database];
  const kept = new Set(planned?.captures.map(({ delta }) => delta));
  return options.objects
    .filter((object) => isDelta(object) && (options.all || !planned || !kept.has(object.name) || hasOtherKey(planned, object)))
    .map(({ bare }) => bare);
}
