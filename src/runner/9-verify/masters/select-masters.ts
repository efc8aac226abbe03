import { failure } from '../../../plan/errors.ts';
import { flowsOf } from '../../../plan/flows.ts';
import type { Plan, PlanMasterTable, PlanMultiMaster } from '../../../plan/plan.ts';
import { displayName } from '../../../sql/quote.ts';
import { deltasOf } from '../../8-round/sync-runner.ts';
import { type StreamTable, streamTables } from '../../8-round/work.ts';
import type { StreamName } from '../../events.ts';
import type { Selection } from '../selection.ts';

/** One table of a multi-master sync. */
export type MastersTable = {
  readonly sync: string;
  readonly planned: PlanMultiMaster;
  readonly table: PlanMasterTable;
  /** Its one route, which serves all members. */
  readonly stream: StreamTable;
  /** Qualified, at every member. */
  readonly delta: string;
};

/** The chosen tables between masters, in the order of the plan; a sync counts as chosen when it has one of the targets as a member. */
export function selectMasters(plan: Plan, { syncs, targets, tables }: Selection): readonly MastersTable[] {
  return Object.entries(plan.syncs).flatMap(([sync, planned]) => {
    if (planned.mode !== 'multi-master' || !isChosen(syncs, [sync]) || !isChosen(targets, planned.members)) return [];
    const [flow] = flowsOf(planned);
    const deltas = flow === undefined ? [] : deltasOf(plan, flow);
    return streamTables(planned, planned.members[0] ?? '').flatMap((stream) => {
      const table = planned.tables[stream.ordinal];
      if (table === undefined || !isChosen(tables, [displayName(table.source)])) return [];
      return [{ sync, planned, table, stream, delta: deltas[stream.ordinal] ?? '' }];
    });
  });
}

/**
 * Between masters no side is right by itself: the one whose rows are is named, and of that name every chosen sync must have a member.
 * @throws SarrioError
 */
export function refuseUnclearRepair(at: { masters: readonly MastersTable[]; hasOneWay: boolean; wantsRepair: boolean; from: string | null }): void {
  const { masters, hasOneWay, wantsRepair, from } = at;
  if (from !== null && !wantsRepair) {
    throw failure('invalid', { code: 'SAR310', message: '--from names the member whose rows are right, but --repair was not given', hint: 'Add --repair.' });
  }
  const [first] = masters;
  if (from === null && wantsRepair && first !== undefined) {
    const hint = `Add --from with one of ${first.planned.members.join(', ')}. To repair one-way syncs alone, name them with --sync.`;
    throw failure('invalid', { code: 'SAR310', message: `sync ${first.sync} has several masters: say whose rows are right`, hint });
  }
  if (from === null) return;
  const other = masters.find(({ planned }) => !planned.members.includes(from));
  if (other === undefined && !hasOneWay && first !== undefined) return;
  const message = other === undefined ? 'one-way syncs are repaired from their source' : `${from} is not a member of sync ${other.sync}`;
  throw failure('invalid', { code: 'SAR310', message: `--from ${from}: ${message}`, hint: 'Choose the syncs with --sync.' });
}

function isChosen(wanted: readonly string[], names: readonly string[]): boolean {
  return wanted.length === 0 || names.some((name) => wanted.includes(name));
}

/** Every directed pair of their members. */
export function pairsOf(tables: readonly MastersTable[]): readonly StreamName[] {
  const syncs = new Map(tables.map(({ sync, planned }) => [sync, planned.members]));
  return [...syncs].flatMap(([sync, members]) =>
    members.flatMap((source) => members.filter((target) => target !== source).map((target) => ({ sync, source, target }))),
  );
}
