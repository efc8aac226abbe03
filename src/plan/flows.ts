import type { ExistingRows, PlanCopy } from './plan-copy.ts';
import type { PlanGuard } from './plan-guard.ts';
import type { PlanCarry } from './plan-sequence.ts';
import { FEW_ENTRIES_BEFORE, type BacklogBudget, type PlanSync, type PlanTable } from './plan.ts';

/** What flows from one database of a sync to the others: a one-way sync has one, a multi-master sync one for each member. */
export type Flow = {
  readonly mode: PlanSync['mode'];
  readonly source: string;
  readonly targets: readonly string[];
  readonly existingRows: ExistingRows;
  readonly maxBacklog: BacklogBudget | null;
  readonly copy?: PlanCopy;
  /** Of a one-way sync, like the next two. */
  readonly fewEntries?: number;
  readonly guard?: PlanGuard;
  readonly sequences?: PlanCarry;
  readonly wake: string;
  readonly tables: readonly PlanTable[];
};

/** Of so many pending entries of a table, its rows may be asked for in one statement and held in memory. */
export function fewEntriesOf({ fewEntries }: Pick<Flow, 'fewEntries'>): number {
  return fewEntries ?? FEW_ENTRIES_BEFORE;
}

/** Every flow of captured changes of a sync, in the order of its databases. A full copy has none. */
export function flowsOf(sync: PlanSync): readonly Flow[] {
  if (sync.mode === 'full-copy') return [];
  if (sync.mode === 'one-way') return [sync];
  const { mode, members, existingRows, maxBacklog, copy, wake, tables } = sync;
  return members.map((source) => {
    const targets = members.filter((member) => member !== source);
    return { mode, source, targets, existingRows, maxBacklog, ...(copy === undefined ? {} : { copy }), wake, tables };
  });
}

/** Every flow of some syncs, each with the name of its sync. */
export function namedFlows(syncs: Readonly<Record<string, PlanSync>>): readonly { readonly sync: string; readonly flow: Flow }[] {
  return Object.entries(syncs).flatMap(([sync, planned]) => flowsOf(planned).map((flow) => ({ sync, flow })));
}

/** What has to be said to the sources of a sync: each with the sequence that wakes whoever reads it. */
export function sourcesOf(sync: PlanSync): readonly { readonly source: string; readonly wake: string }[] {
  return sync.mode === 'full-copy' ? [{ source: sync.source, wake: sync.wake }] : flowsOf(sync).map(({ source, wake }) => ({ source, wake }));
}
