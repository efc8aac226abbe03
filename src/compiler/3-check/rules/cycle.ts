import { displayName, type QualifiedName } from '../../../sql/quote.ts';
import { type Finding, masterTables, oneWayTables, type CheckInput, type PlacedTable, type Rule } from '../rule.ts';

type Edge = { readonly to: string; readonly label: string; readonly placed: PlacedTable };
/** Where a table stands; the tables of multi-master syncs that are connected count as one place. */
type Place = (database: string, table: QualifiedName) => string;
type State = { readonly edges: ReadonlyMap<string, readonly Edge[]>; readonly place: Place; readonly done: Set<string>; readonly trail: readonly Edge[] };

/** SAR219. */
export const cycle: Rule = {
  code: 'SAR219',
  severity: 'error',
  summary: 'one-way syncs form a circle',
  explanation:
    'A change would go round for ever, and two databases that both take writes need a rule for conflicts. Members of a multi-master sync are connected both ways.',
  example: 'east -> west, west -> east, both one-way',
  cure: 'One multi-master sync instead of the two.',
  run: (input) => {
    const place = placesOf(input);
    const edges = edgesOf(oneWayTables(input), place);
    const done = new Set<string>();
    return [...edges.keys()].flatMap((start) => walk(start, { edges, place, done, trail: [] }));
  },
};

function placesOf(input: CheckInput): Place {
  const group = new Map<string, string>();
  const find = (node: string): string => {
    const above = group.get(node);
    return above === undefined ? node : find(above);
  };
  for (const { table } of masterTables(input)) {
    const [first, ...others] = Object.entries(table.schemas).map(([member, schema]) => find(nodeOf(member, schema)));
    for (const other of others) if (first !== undefined && find(other) !== first) group.set(find(other), first);
  }
  return (database, table) => find(nodeOf(database, table));
}

function edgesOf(tables: readonly PlacedTable[], place: Place): ReadonlyMap<string, readonly Edge[]> {
  const edges = new Map<string, Edge[]>();
  for (const placed of tables) {
    const { flow, table } = placed;
    const from = place(flow.source, table.source);
    const leaving = flow.targets
      .filter((target) => target !== flow.source)
      .map((target) => ({ to: place(target, table.targetName), label: `${target} ${displayName(table.targetName)}`, placed }));
    edges.set(from, [...(edges.get(from) ?? []), ...leaving]);
  }
  return edges;
}

function nodeOf(database: string, table: QualifiedName): string {
  return JSON.stringify([database, table.schema, table.name]);
}

/** Depth first; a circle is reported at the edge that closes it. */
function walk(node: string, state: State): Finding[] {
  const { edges, place, done, trail } = state;
  if (done.has(node)) return [];
  const findings = (edges.get(node) ?? []).flatMap((edge) => {
    const path = [...trail, edge];
    const start = path.findIndex(({ placed }) => place(placed.flow.source, placed.table.source) === edge.to);
    return start >= 0 ? [finding(path.slice(start))] : walk(edge.to, { ...state, trail: path });
  });
  done.add(node);
  return findings;
}

function finding(circle: readonly Edge[]): Finding {
  const [first] = circle;
  const last = circle[circle.length - 1];
  const start = first ? `${first.placed.flow.source} ${displayName(first.placed.table.source)}` : '';
  const labels = [start, ...circle.map(({ label }) => label)];
  const back = last?.label === start ? '' : ', which goes back by a multi-master sync';
  const message = `the syncs form a circle: ${labels.join(' -> ')}${back}`;
  return { path: last?.placed.path ?? [], message, hint: 'Databases that write the same table to each other belong into one multi-master sync.' };
}
