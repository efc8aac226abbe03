import { flowsOf, namedFlows } from '../../plan/flows.ts';
import type { Plan, PlanSync } from '../../plan/plan.ts';
import { displayName } from '../../sql/quote.ts';
import type { LiveDatabase } from '../5-inspect/live-database.ts';
import { arrivals } from '../5-inspect/plan-tables.ts';
import { forgetCopies, forgetStream, registerStream, unregisterStream } from './streams.sql.ts';
import { makeStep, type Step } from './step.ts';

const GROUP = 'streams';

/** Registers, in each source, the targets that the plan has and the source does not know yet. */
export function registrations(plan: Plan, live: LiveDatabase): readonly Step[] {
  const known = new Set(live.registered.map(({ sync, target }) => JSON.stringify([sync, target])));
  return namedFlows(plan.syncs)
    .filter(({ flow }) => flow.source === live.database)
    .flatMap(({ sync, flow }) => flow.targets.map((target) => ({ sync, target })))
    .filter(({ sync, target }) => !known.has(JSON.stringify([sync, target])))
    .map((stream) =>
      makeStep({
        database: live.database,
        kind: 'register',
        object: streamObject(stream.sync, stream.target),
        group: GROUP,
        reason: 'a new target: from now on every change is kept for it',
        sql: registerStream(stream).text,
      }),
    );
}

/** Takes streams that left the config out of their source, and out of their target where the plan still knows it. */
export function unregistrations(plan: Plan, live: LiveDatabase): readonly Step[] {
  const isPlanned = (sync: string, source: string, target: string): boolean => {
    const planned = plan.syncs[sync];
    return planned !== undefined && (isFromRing(planned, source) || flowsOf(planned).some((flow) => flow.source === source && flow.targets.includes(target)));
  };
  const outgoing = live.registered.filter(({ sync, target }) => !isPlanned(sync, live.database, target));
  const incoming = live.watermarks.filter(({ sync, source }) => !isPlanned(sync, source, live.database));
  return [
    ...outgoing.map(({ sync, target }) =>
      leavingStep({ live, sync, target, reason: 'the target left the sync', sql: unregisterStream({ sync, target }).text }),
    ),
    ...incoming.map(({ sync, source }) =>
      leavingStep({
        live,
        sync,
        target: live.database,
        reason: `no longer fed from ${source}; its position is forgotten`,
        sql: forgetStream({ sync, source }).text,
      }),
    ),
  ];
}

/** What came from there by another sync of the ring. */
function isFromRing(planned: PlanSync, source: string): boolean {
  return planned.mode === 'multi-master' && (planned.ring?.others ?? []).includes(source);
}

function leavingStep(options: { live: LiveDatabase; sync: string; target: string; reason: string; sql: string }): Step {
  const { live, sync, target, reason, sql } = options;
  const evidence = `changes are no longer kept for ${target}; should it return, it is copied anew`;
  const hazard = { code: 'drop-stream', object: `${sync}/${target}`, evidence } as const;
  return makeStep({ database: live.database, kind: 'unregister', object: streamObject(sync, target), group: GROUP, reason, sql, hazards: [hazard] });
}

/** Makes targets forget the copy of tables that left their sync: should such a table return, it is copied first. */
export function forgottenCopies(plan: Plan, live: LiveDatabase): readonly Step[] {
  const planned = new Map<string, Set<string>>();
  for (const { sync, source, table } of arrivals(plan, live.database)) {
    const stream = JSON.stringify([sync, source]);
    planned.set(stream, (planned.get(stream) ?? new Set()).add(displayName(table.target)));
  }
  const groups = new Map<string, { sync: string; source: string; relations: string[] }>();
  for (const copy of live.copies) {
    const key = JSON.stringify([copy.sync, copy.source]);
    const ofStream = planned.get(key);
    const isLeavingStream = ofStream === undefined;
    if (isLeavingStream || ofStream.has(copy.relation)) continue;
    const group = groups.get(key) ?? { sync: copy.sync, source: copy.source, relations: [] };
    group.relations.push(copy.relation);
    groups.set(key, group);
  }
  return [...groups.values()].map((group) =>
    makeStep({
      database: live.database,
      kind: 'unregister',
      object: { kind: 'copy', name: `${group.sync}/${group.source}: ${group.relations.join(', ')}` },
      group: GROUP,
      reason: 'left the sync; should it return, it is copied first',
      sql: forgetCopies(group).text,
    }),
  );
}

function streamObject(sync: string, target: string) {
  return { kind: 'stream', name: `${sync}/${target}` };
}
