import type { Plan, PlanSync } from './plan.ts';

/** Who sends rows to whom, for drawings. A multi-master sync is a node of its own, which its members stand around. */
export type Topology = { readonly nodes: readonly TopologyNode[]; readonly edges: readonly TopologyEdge[] };

export type TopologyNode = { readonly id: string; readonly kind: 'database' | 'masters'; readonly label: string };

export type TopologyEdge = { readonly from: string; readonly to: string; readonly kind: PlanSync['mode']; readonly label: string };

/** The plan's databases in their order, and its syncs. */
export function topologyOf(plan: Plan): Topology {
  const names = Object.keys(plan.databases);
  const idOf = (name: string): string => `d${names.indexOf(name)}`;
  const syncs = Object.entries(plan.syncs);
  const masters = syncs.flatMap(([name, sync], index) =>
    sync.mode === 'multi-master' ? [{ id: `m${index}`, kind: 'masters' as const, label: labelOf(name, sync), members: sync.members }] : [],
  );
  return {
    nodes: [
      ...names.map((name) => ({ id: idOf(name), kind: 'database' as const, label: name })),
      ...masters.map(({ id, kind, label }) => ({ id, kind, label })),
    ],
    edges: [
      ...masters.flatMap(({ id, members }) => members.map((member) => ({ from: idOf(member), to: id, kind: 'multi-master' as const, label: '' }))),
      ...syncs.flatMap(([name, sync]) =>
        sync.mode === 'multi-master'
          ? []
          : sync.targets.map((target) => ({ from: idOf(sync.source), to: idOf(target), kind: sync.mode, label: labelOf(name, sync) })),
      ),
    ],
  };
}

function labelOf(name: string, { tables }: PlanSync): string {
  return `${name}: ${tables.length} ${tables.length === 1 ? 'table' : 'tables'}`;
}
