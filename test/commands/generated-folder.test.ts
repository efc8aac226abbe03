import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { VERBS } from '../../src/commands/verbs.ts';
import { root } from '../support/build.ts';
import { runVerb } from '../support/run-verb.ts';

/** What each verb that reads `generated/` is called with; of the others, that they do not. */
const ARGUMENTS: Readonly<Record<string, readonly string[] | null>> = {
  init: null,
  pull: null,
  compile: null,
  check: null,
  explain: null,
  plan: [],
  apply: [],
  migrate: ['change.sql', '--config', join(root, 'test/cases/shop/replication.config.ts')],
  diff: [],
  run: [],
  status: ['--exit-code'],
  conflicts: [],
  kick: ['--sync', 'shop'],
  pause: ['--sync', 'shop'],
  resume: ['--sync', 'shop'],
  approve: [],
  verify: [],
  copy: ['--sync', 'shop', '--target', 'replica'],
  cutover: ['shop'],
  doctor: [],
  graph: [],
  destroy: ['--plan-only'],
};

/** A project with `generated/`, and one without. */
let [project, empty] = ['', ''];

beforeAll(async () => {
  [project, empty] = [await mkdtemp(join(tmpdir(), 'sarrio-project-')), await mkdtemp(join(tmpdir(), 'sarrio-empty-'))];
  await cp(join(root, 'test/cases/shop/expected'), join(project, 'generated'), { recursive: true });
});

afterAll(() => Promise.all([project, empty].map((folder) => rm(folder, { recursive: true, force: true }))));

test.each(VERBS)("$name looks for generated/ in the project's folder", async ({ name, load }) => {
  const args = ARGUMENTS[name];
  expect(args, `${name} needs a row`).toBeDefined();
  if (!args) return;
  const codes = async (cwd: string): Promise<readonly string[]> => {
    const { diagnostics } = await runVerb(await load(), args, { cwd, env: {} });
    return diagnostics.map(({ code }) => code);
  };
  expect(await codes(empty)).toEqual(['SAR301']);
  expect(await codes(project)).not.toContain('SAR301');
});
