import type { Flow } from '../../plan/flows.ts';
import type { ApplyStatements, PlanRoute, PlanTable, ReadStatements } from '../../plan/plan.ts';
import type { VerifyStatements } from '../../plan/plan-verify.ts';
import { displayName } from '../../sql/quote.ts';
import { covers, type Position } from '../../plan/position.ts';
import type { Reading } from './reading.ts';

/** One table of a sync as one target sees it. */
export type StreamTable = {
  readonly ordinal: number;
  /** Index of the route that holds this target's statements. */
  readonly route: number;
  /** Display name on the target: the table's identity in `sarrio.initial_copy`. */
  readonly relation: string;
  readonly table: PlanTable;
  /** Display name of its delta table in the source; null for a reader that has no use for it. */
  readonly delta: string | null;
  readonly read: ReadStatements;
  readonly apply: ApplyStatements;
  readonly verify: VerifyStatements;
};

/** Where a table stands in its stream: `joined` follows the watermark; `copied` has its own position until the next round, or for as long as it is left out; `missing` waits for its copy, which replaces the rows that an earlier one of this stream brought. */
export type TableState =
  | { readonly kind: 'joined' }
  | { readonly kind: 'copied'; readonly position: Position }
  | { readonly kind: 'missing'; readonly holdsOwnRows: boolean };

/** What one round does to one table. */
export type TableWork = StreamTable & {
  readonly entries: number;
  readonly allInserts: boolean;
  readonly truncated: boolean;
  /** Own position of a table that this round joins, else null. */
  readonly joinFrom: Position | null;
};

/** The tables of a sync for one target, in the plan's order, which is also the order of locking. `deltas` in the same order. */
export function streamTables(sync: Pick<Flow, 'tables'>, target: string, deltas: readonly string[] = []): readonly StreamTable[] {
  return sync.tables.map((table, ordinal) => {
    const route = table.routes.findIndex(({ targets }) => targets.includes(target));
    const found: PlanRoute | undefined = table.routes[route];
    if (found === undefined) throw new Error(`the plan has no route to ${target} for ${displayName(table.source)}`);
    const { read, apply, verify } = found;
    return { ordinal, route, relation: displayName(table.target), table, delta: deltas[ordinal] ?? null, read, apply, verify };
  });
}

/** What a reading means for a stream: tables with pending changes, and every copied table, which joins with whatever is pending from its own position. */
export async function workOf(
  reading: Reading,
  tables: readonly StreamTable[],
  { states, stops }: { readonly states: readonly TableState[]; readonly stops: ReadonlyMap<number, unknown> },
): Promise<readonly TableWork[]> {
  const work: TableWork[] = [];
  for (const table of tables) {
    const state = states[table.ordinal] ?? { kind: 'missing', holdsOwnRows: false };
    if (state.kind === 'missing' || stops.has(table.ordinal) || isAhead(state, reading)) continue;
    const joinFrom = state.kind === 'copied' ? state.position : null;
    const pending = joinFrom === null ? reading.pending : await reading.pendingFrom(joinFrom);
    const found = pending.find(({ ordinal }) => ordinal === table.ordinal);
    if (found || joinFrom) work.push({ ...table, ...(found ?? NOTHING), ordinal: table.ordinal, joinFrom });
  }
  return work;
}

/** A copy newer than the reading waits for the next one. */
function isAhead(state: TableState, reading: Reading): boolean {
  return state.kind === 'copied' && !covers(reading.position, state.position);
}

const NOTHING = { entries: 0, allInserts: false, truncated: false } as const;
