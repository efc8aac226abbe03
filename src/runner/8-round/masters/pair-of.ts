import type { Pair } from './join-pair.ts';
import type { MastersRun } from './masters-run.ts';
import type { Live, Slot } from './slot.ts';

type End = { readonly slot: Slot; readonly live: Live };

/** One direction between two members that are connected. */
export function pairOf(run: MastersRun, source: End, target: End): Pair {
  const { options, name, sync, flows, deltas, connectTarget, progress } = run;
  const flow = flows[source.slot.index];
  if (flow === undefined) throw new Error(`the plan has no member ${source.slot.index}`);
  return {
    stream: { sync: name, source: source.slot.name, target: target.slot.name },
    flow,
    deltas: deltas[source.slot.index] ?? [],
    seed: sync.members[0] ?? '',
    own: sync.tables.map(({ countPending, masters: { lock } }) => ({ lock, countPending })),
    jobs: options.jobs ?? null,
    source: source.live,
    target: target.live,
    connectTarget: () => connectTarget(target.slot.index),
    clock: options.clock,
    log: options.log,
    failpoint: options.failpoint,
    ring: sync.ring?.others ?? [],
    shapes: { source: options.plan.databases[source.slot.name]?.shapes ?? {}, target: options.plan.databases[target.slot.name]?.shapes ?? {} },
    onCopy: (tables) => progress.enter(target.slot.index, 'copying', `${tables} tables`),
  };
}
