import { generatedHeader } from './generated-header.ts';
import type { Plan, PlanSync } from './plan.ts';
import { type Topology, type TopologyEdge, topologyOf } from './topology.ts';

/** The drawing's file under `generated/`. */
export const TOPOLOGY_FILE = 'TOPOLOGY.md';

/** `generated/TOPOLOGY.md`: who sends what to whom, as a drawing that GitHub and GitLab show, and as a table. */
export function topologyFile(plan: Plan): string {
  const rows = Object.entries(plan.syncs).map(
    ([name, sync]) => `| ${[name, sync.mode, wayOf(sync), String(sync.tables.length), detailsOf(sync)].join(' | ')} |`,
  );
  return [
    generatedHeader('<!--'),
    `# Topology of project ${plan.project}`,
    '',
    '```mermaid',
    mermaid(topologyOf(plan)).trimEnd(),
    '```',
    '',
    '| sync | mode | way | tables | |',
    '|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

/** As a Mermaid flowchart. Names of databases and syncs are plain words (the config allows no others). */
export function mermaid({ nodes, edges }: Topology): string {
  return [
    'flowchart LR',
    ...nodes.map(({ id, kind, label }) => `  ${id}${kind === 'database' ? `[("${label}")]` : `(["${label}"])`}`),
    ...edges.map((edge) => `  ${edge.from} ${arrowOf(edge)} ${edge.to}`),
    '',
  ].join('\n');
}

function arrowOf({ kind, label }: TopologyEdge): string {
  if (kind === 'multi-master') return '<-->';
  return kind === 'full-copy' ? `-. "${label}" .->` : `-- "${label}" -->`;
}

function wayOf(sync: PlanSync): string {
  return sync.mode === 'multi-master' ? sync.members.join(' ↔ ') : `${sync.source} → ${sync.targets.join(', ')}`;
}

function detailsOf(sync: PlanSync): string {
  if (sync.mode === 'multi-master') {
    const rules = [...new Set(sync.tables.map(({ rule }) => rule.strategy))].sort();
    return rules.length === 0 ? '' : `conflicts: ${rules.join(', ')}`;
  }
  const filtered = sync.tables.filter(({ where }) => where !== null).length;
  const copied = sync.mode === 'full-copy' ? [`method ${sync.method}`] : [];
  return [...copied, ...(filtered === 0 ? [] : [`${filtered} with a row filter`])].join(', ');
}
