import type { Topology, TopologyEdge } from '../plan/topology.ts';

const [WIDTH, HEIGHT, GAP_X, GAP_Y, MARGIN] = [170, 46, 150, 34, 24];

type Box = { readonly x: number; readonly y: number };

/** The topology as a drawing that stands alone: columns from sources to targets, the same bytes for the same plan. */
export function topologySvg(topology: Topology): string {
  const boxes = layOut(topology);
  const width = Math.max(...[...boxes.values()].map(({ x }) => x)) + WIDTH + MARGIN;
  const height = Math.max(...[...boxes.values()].map(({ y }) => y)) + HEIGHT + MARGIN;
  const shapes = topology.nodes.map(({ id, kind, label }) => {
    const { x, y } = boxes.get(id) ?? { x: 0, y: 0 };
    const look = kind === 'database' ? 'rx="6" fill="#eef4fb" stroke="#31567c"' : `rx="${HEIGHT / 2}" fill="#fdf3e3" stroke="#8a5a12"`;
    return `  <rect x="${x}" y="${y}" width="${WIDTH}" height="${HEIGHT}" ${look}/>\n  <text x="${x + WIDTH / 2}" y="${y + HEIGHT / 2 + 5}">${escaped(label)}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="13" text-anchor="middle">`,
    '  <defs><marker id="end" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto-start-reverse"><path d="M0 0 8 4 0 8z"/></marker></defs>',
    ...topology.edges.map((edge, index) => edgeShape(edge, boxes, index)),
    ...shapes,
    '</svg>',
    '',
  ].join('\n');
}

/** Whoever receives stands right of whoever sends; in a chain that comes back to itself, the first one named stays left. */
function layOut({ nodes, edges }: Topology): ReadonlyMap<string, Box> {
  const column = new Map(nodes.map(({ id }) => [id, 0]));
  for (let pass = 0; pass < nodes.length; pass += 1) {
    for (const { from, to } of edges) {
      const next = (column.get(from) ?? 0) + 1;
      if (from !== to && next < nodes.length && (column.get(to) ?? 0) < next) column.set(to, next);
    }
  }
  const used = new Map<number, number>();
  return new Map(
    nodes.map(({ id }) => {
      const at = column.get(id) ?? 0;
      const row = used.get(at) ?? 0;
      used.set(at, row + 1);
      return [id, { x: MARGIN + at * (WIDTH + GAP_X), y: MARGIN + row * (HEIGHT + GAP_Y) }];
    }),
  );
}

function edgeShape({ from, to, kind, label }: TopologyEdge, boxes: ReadonlyMap<string, Box>, index: number): string {
  const [start, end] = [boxes.get(from), boxes.get(to)];
  if (!start || !end) return '';
  const [x1, y1, x2, y2] = [start.x + WIDTH, start.y + HEIGHT / 2, end.x, end.y + HEIGHT / 2];
  const bend = Math.max(40, Math.abs(x2 - x1) / 2);
  const look = `${kind === 'full-copy' ? ' stroke-dasharray="6 4"' : ''}${kind === 'multi-master' ? ' marker-start="url(#end)"' : ''}`;
  const path = `  <path d="M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}" fill="none" stroke="#555"${look} marker-end="url(#end)"/>`;
  if (label === '') return path;
  return `${path}\n  <text x="${(x1 + x2) / 2}" y="${(y1 + y2) / 2 - 6 + (index % 2) * 20}" font-size="11">${escaped(label)}</text>`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
