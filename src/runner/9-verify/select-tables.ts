import { failure } from '../../plan/errors.ts';
import { namedFlows } from '../../plan/flows.ts';
import type { Plan } from '../../plan/plan.ts';
import { displayName } from '../../sql/quote.ts';
import type { StreamName } from '../events.ts';
import { deltasOf } from '../8-round/sync-runner.ts';
import { type StreamTable, streamTables } from '../8-round/work.ts';
import { type MastersTable, selectMasters } from './masters/select-masters.ts';
import type { Selection } from './selection.ts';

/** One table of one stream. */
export type Selected = {
  readonly stream: StreamName;
  readonly table: StreamTable;
  readonly source: string;
  readonly delta: string;
};

/**
 * The tables to compare, in the order of the plan. A table may be named as the source or as the target has it.
 * @throws SarrioError when a name is not in the plan.
 */
export function selectTables(plan: Plan, selection: Selection): { readonly oneWay: readonly Selected[]; readonly masters: readonly MastersTable[] } {
  const all = namedFlows(plan.syncs).flatMap(({ sync, flow }) => {
    const deltas = deltasOf(plan, flow);
    return flow.targets.flatMap((target) =>
      streamTables(flow, target).map((table) => ({
        stream: { sync, source: flow.source, target },
        table,
        source: displayName(table.table.source),
        delta: deltas[table.ordinal] ?? '',
      })),
    );
  });
  refuseUnknown('sync', selection.syncs, Object.keys(plan.syncs));
  refuseUnknown('target', selection.targets, [...new Set(all.map(({ stream }) => stream.target))]);
  refuseUnknown('table', selection.tables, [...new Set(all.flatMap(({ source, table }) => [source, table.relation]))].sort());
  const masters = selectMasters(plan, selection);
  const oneWay = all.filter(
    ({ stream, source, table }) =>
      plan.syncs[stream.sync]?.mode === 'one-way' &&
      isChosen(selection.syncs, stream.sync) &&
      isChosen(selection.targets, stream.target) &&
      isChosen(selection.tables, source, table.relation),
  );
  if (oneWay.length + masters.length > 0) return { oneWay, masters };
  throw failure('invalid', { code: 'SAR702', message: 'no table is in all that was named: sync, target and table', hint: 'Leave one of them out.' });
}

function isChosen(wanted: readonly string[], ...names: readonly string[]): boolean {
  return wanted.length === 0 || names.some((name) => wanted.includes(name));
}

function refuseUnknown(what: string, wanted: readonly string[], known: readonly string[]): void {
  const unknown = wanted.filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  throw failure('invalid', { code: 'SAR701', message: `the plan has no ${what} ${unknown.join(', ')}`, hint: `It has: ${known.slice(0, 50).join(', ')}` });
}
