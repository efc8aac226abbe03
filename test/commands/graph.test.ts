import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { verb as graphVerb } from '../../src/commands/graph.ts';
import { runVerb } from '../support/run-verb.ts';

const graph = (name: string, ...args: readonly string[]) => runVerb(graphVerb, ['--generated', `test/cases/${name}/expected`, ...args], { cwd: '.', env: {} });

test('the drawing in generated/ is what graph prints, and says who sends what to whom', async () => {
  const { text } = await graph('two-syncs');
  expect(await readFile('test/cases/two-syncs/expected/TOPOLOGY.md', 'utf8')).toContain(`\`\`\`mermaid\n${text}\`\`\`\n`);
  const { text: shop } = await graph('shop');
  expect(shop).toContain('d2[("shop")]');
  expect(shop).toContain('d2 -- "shop: 5 tables" --> d0');
});

test.each(['shop', 'masters', 'full-copy', 'patterns'])('%s as SVG is well formed, and nothing lies on anything', async (name) => {
  const { text, data } = await graph(name, '--format', 'svg');
  const { nodes, edges } = data as { nodes: readonly unknown[]; edges: readonly unknown[] };
  const boxes = [...text.matchAll(/<rect x="(\d+)" y="(\d+)"/g)].map(([, x, y]) => `${x},${y}`);
  expect(boxes.length).toBe(nodes.length);
  expect(new Set(boxes).size).toBe(nodes.length);
  expect(text.match(/<path d="M\d[^"]*" fill="none"/g)?.length).toBe(edges.length);
  const opened: string[] = [];
  for (const [, end, tag = '', self] of text.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g)) {
    if (end) expect(opened.pop()).toBe(tag);
    else if (!self) opened.push(tag);
  }
  expect(opened).toEqual([]);
});
