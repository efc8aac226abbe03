import { displayName, type QualifiedName } from '../../../sql/quote.ts';
import { type Finding, placedTables, type PlacedTable, type Rule } from '../rule.ts';

type Edge = { readonly to: string; readonly label: string; readonly placed: PlacedTable };

/** SAR219. */
export const cycle: Rule = {
  code: 'SAR219',
  severity: 'error',
  summary: 'one-way syncs form a circle',
  explanation: 'A change would go round for ever, and two databases that both take writes need a rule for conflicts.',
  run: (input) => {
    const edges = edgesOf(placedTables(input));
    const done = new Set<string>();
    return [...edges.keys()].flatMap((start) => walk(start, { edges, done, trail: [] }));
  },
};

function edgesOf(tables: readonly PlacedTable[]): ReadonlyMap<string, readonly Edge[]> {
  const edges = new Map<string, Edge[]>();
  for (const placed of tables) {
    const { sync, table } = placed;
    const from = nodeOf(sync.source, table.source);
    const leaving = sync.targets
      .filter((target) => target !== sync.source)
      .map((target) => ({ to: nodeOf(target, table.targetName), label: `${target} ${displayName(table.targetName)}`, placed }));
    edges.set(from, [...(edges.get(from) ?? []), ...leaving]);
  }
  return edges;
}

function nodeOf(database: string, table: QualifiedName): string {
  return JSON.stringify([database, table.schema, table.name]);
}

/** Depth first; a circle is reported at the edge that closes it. */
function walk(node: string, state: { edges: ReadonlyMap<string, readonly Edge[]>; done: Set<string>; trail: readonly Edge[] }): Finding[] {
  const { edges, done, trail } = state;
  if (done.has(node)) return [];
  const findings = (edges.get(node) ?? []).flatMap((edge) => {
    const path = [...trail, edge];
    const start = path.findIndex(({ placed }) => nodeOf(placed.sync.source, placed.table.source) === edge.to);
    return start >= 0 ? [finding(path.slice(start))] : walk(edge.to, { edges, done, trail: path });
  });
  done.add(node);
  return findings;
}

function finding(circle: readonly Edge[]): Finding {
  const [first] = circle;
  const last = circle[circle.length - 1];
  const start = first ? `${first.placed.sync.source} ${displayName(first.placed.table.source)}` : '';
  const message = `the syncs form a circle: ${[start, ...circle.map(({ label }) => label)].join(' -> ')}`;
  return { path: last?.placed.path ?? [], message, hint: 'Databases that write the same table to each other belong into one multi-master sync.' };
}
