import type { Plan, PlanCapture } from '../../plan/plan.ts';
import { displayName, type QualifiedName } from '../../sql/quote.ts';
import { hasOtherKey } from '../5-inspect/delta-columns.ts';
import type { LiveDatabase } from '../5-inspect/live-database.ts';
import { breakText, type SealBreak, sealBreak } from '../5-inspect/seal-break.ts';
import { makeStep, type Step } from './step.ts';

/**
 * Steps that bring what went by uncaptured to the targets: the rows of partitions that came, or, where nobody can know which rows
 * were changed, the whole table in its next round. They run in the transaction that puts the triggers right, so that nothing goes by
 * in between. A table that is captured for the first time needs none: it is copied.
 */
export function refreshes(plan: Plan, live: LiveDatabase): readonly Step[] {
  const planned = plan.databases[live.database];
  const installed = new Set(live.installed.filter(({ kind }) => kind === 'table').map(({ name }) => name));
  const rebuilt = new Set(live.objects.filter((object) => planned && hasOtherKey(planned, object)).map(({ name }) => name));
  return (planned?.captures ?? []).flatMap((capture) => {
    const found = live.seals.found.get(capture.delta);
    if (found === undefined || rebuilt.has(capture.delta) || !installed.has(capture.delta)) return [];
    const broken = sealBreak(live.seals.recorded.get(capture.delta), found);
    return broken && !broken.isGone ? refreshSteps({ database: live.database, capture, broken }) : [];
  });
}

/** Puts each step behind the last one of its group, so that the group stays one transaction. */
export function intoGroups(steps: readonly Step[], more: readonly Step[]): readonly Step[] {
  const all = [...steps];
  for (const step of more) {
    const last = all.findLastIndex(({ database, group }) => database === step.database && group === step.group);
    all.splice(last < 0 ? all.length : last + 1, 0, step);
  }
  return all;
}

/** Steps that refresh a whole table. */
export function refreshedTables(steps: readonly Step[]): readonly Step[] {
  return steps.filter(({ kind, object, group }) => kind === 'refresh' && object.name === group);
}

/** How `--allow` says that a table need not be refreshed. */
export function skipName(table: string): string {
  return `skip-refresh:${table}`;
}

/** The steps without the refreshing of tables that were named so: what stands there now counts as captured from now on. */
export function withoutSkipped(steps: readonly Step[], allowed: ReadonlySet<string>): readonly Step[] {
  const skipped = new Set(refreshedTables(steps).filter(({ object }) => allowed.has(skipName(object.name))));
  return steps.map((step) => (skipped.has(step) ? { ...step, sql: '' } : step));
}

function refreshSteps(parts: { database: string; capture: PlanCapture; broken: SealBreak }): readonly Step[] {
  const { database, capture, broken } = parts;
  const group = displayName(capture.table);
  const step = (table: QualifiedName, reason: string, sql: string): Step =>
    makeStep({
      database,
      kind: 'refresh',
      object: { kind: 'rows', name: displayName(table) },
      group,
      lock: { mode: 'SHARE ROW EXCLUSIVE', table: { schema: table.schema, name: table.name } },
      reason,
      sql,
    });
  if (broken.newPartitions === null) return [step(capture.table, breakText(broken), capture.refresh)];
  const added = new Set(broken.newPartitions.map(displayName));
  return capture.partitions
    .filter(({ table }) => added.has(displayName(table)))
    .map(({ table, record }) => step(table, 'a new partition: the rows that it brought are sent to the targets', record));
}
