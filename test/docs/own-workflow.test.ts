import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { expect, test } from 'vitest';
import { root } from '../support/build.ts';
import { sarrio } from '../support/cli.ts';

type Job = { readonly strategy?: { readonly matrix: { readonly node: readonly string[] } }; readonly steps: readonly { readonly run?: string }[] };
type Workflow = { readonly permissions: unknown; readonly jobs: Readonly<Record<string, Job>> };

const read = (path: string): Promise<string> => readFile(join(root, path), 'utf8');
const workflow = async (): Promise<Workflow> => load(await read('.github/workflows/ci.yml')) as Workflow;

/** What this project's own workflow runs exists under that name: a script that is renamed would be missed when somebody pushes. */
test('every step of the project’s own workflow is a script of the package, a file of it, or a call that works', async () => {
  const { scripts } = JSON.parse(await read('package.json')) as { scripts: Readonly<Record<string, string>> };
  const { jobs, permissions } = await workflow();
  expect(permissions).toEqual({ contents: 'read' });
  const runs = Object.values(jobs).flatMap(({ steps }) => steps.flatMap(({ run }) => run ?? []));
  expect(runs.length).toBeGreaterThan(6);
  for (const run of new Set(runs)) {
    const [, script] = /^npm run (\S+)$/.exec(run) ?? [];
    const [, call] = /^node dist\/cli\.js (.+)$/.exec(run) ?? [];
    if (script !== undefined) expect(Object.keys(scripts), run).toContain(script);
    else if (call !== undefined) expect((await sarrio(call.split(' '), { cwd: root })).exitCode, run).toBe(0);
    else if (!run.startsWith('npm ci')) expect(existsSync(join(root, run)), run).toBe(true);
  }
});

test('it goes through the Nodes that the package is for: the oldest that package.json allows, and each that docs/nodes.md was tried under', async () => {
  const { engines } = JSON.parse(await read('package.json')) as { engines: { node: string } };
  const nodes = (await workflow()).jobs['nodes']?.strategy?.matrix.node ?? [];
  const oldest = engines.node.replace('>=', '');
  expect(nodes[0]).toMatch(new RegExp(`^${oldest.replaceAll('.', '\\.')}(\\.|$)`));
  const [, list = ''] = /each under Node ([\d., and]+):/.exec((await read('docs/nodes.md')).replaceAll('\n', ' ')) ?? [];
  const tried = (list.match(/\d+(?=\.\d+\.\d+)/g) ?? []).map(Number);
  expect(tried.length).toBeGreaterThan(3);
  expect(nodes.map((node) => Number.parseInt(node, 10))).toEqual(tried);
});
