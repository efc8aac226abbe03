import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { execa } from 'execa';
import { load } from 'js-yaml';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { verb as initVerb } from '../../src/commands/init.ts';
import { readHeader } from '../../src/commands/change-plan/comment-header.ts';
import { program, root } from '../support/build.ts';
import type { TestDatabase } from '../support/database.ts';
import { freshDatabase } from '../support/databases.ts';
import { runVerb } from '../support/run-verb.ts';

const TABLES = 'create table orders (id int primary key, note text); create table log (line text);';

type Pipeline = Readonly<Record<string, { readonly script: readonly string[]; readonly artifacts?: { readonly reports?: unknown } }>>;
type Steps = readonly { readonly name?: string; readonly run?: string; readonly env?: Readonly<Record<string, string>> }[];
type Repository = { readonly dir: string; readonly env: Readonly<Record<string, string>>; readonly shop: TestDatabase };

/** Stands in for GitHub and GitLab: one comment, kept in a file, as `gh api` and `curl` would get and set it. */
const GH = `#!/bin/sh
case "$*" in
  *--jq*'.[0].number'*) echo 7 ;;
  *--jq*'| .id'*) test -f "$STORE" && echo 42 || true ;;
  *--jq*'| .body'*) cat "$STORE" ;;
  *POST*) test ! -f "$STORE" && cp plan.md "$STORE" ;;
  *PATCH*comments/42*) test -f "$STORE" && cp plan.md "$STORE" ;;
  *) echo "gh $*" >&2; exit 9 ;;
esac`;
const CURL = '#!/bin/sh\ncp plan.md "$STORE"';

/** A repository as \`init\` leaves it, with its generated files, over two databases. */
async function repository(ci: 'github' | 'gitlab'): Promise<Repository> {
  const [shop, report] = [await freshDatabase('shop'), await freshDatabase('report')];
  for (const database of [shop, report]) await database.script(TABLES);
  const dir = await mkdtemp(join(tmpdir(), 'sarrio-workflow-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  await mkdir(join(dir, 'bin'));
  await mkdir(join(dir, 'node_modules'));
  await symlink(root, join(dir, 'node_modules/sarrio'));
  const scripts = { npx: `#!/bin/sh\nshift\nexec "${process.execPath}" "${program}" "$@"`, npm: '#!/bin/sh\nexit 0', gh: GH, curl: CURL };
  for (const [name, text] of Object.entries(scripts)) {
    await writeFile(join(dir, 'bin', name), text);
    await chmod(join(dir, 'bin', name), 0o755);
  }
  const env = {
    PATH: `${join(dir, 'bin')}${delimiter}${process.env['PATH'] ?? ''}`,
    SHOP_URL: shop.url,
    REPORT_URL: report.url,
    ENVIRONMENT: 'production',
    GITHUB_STEP_SUMMARY: join(dir, 'summary.md'),
    GITHUB_OUTPUT: join(dir, 'output'),
    STORE: join(dir, 'comment.md'),
  };
  const made = await runVerb(initVerb, ['--source', 'SHOP_URL', '--target', 'REPORT_URL', '--tables', 'public.*', '--ci', ci], { cwd: dir, env });
  expect(made.exit).toBe('ok');
  const place = { dir, env, shop };
  for (const verb of ['pull', 'compile']) expect(await shell(place, `npx sarrio ${verb}`)).toMatchObject({ exitCode: 0 });
  return place;
}

/** As a job runs its steps: bash, and the first failure ends it. */
async function shell({ dir, env }: Repository, script: string, more: Readonly<Record<string, string>> = {}) {
  const { exitCode, stdout, stderr } = await execa('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', script], {
    cwd: dir,
    env: { ...env, ...more },
    extendEnv: false,
    reject: false,
  });
  return { exitCode, stdout, stderr };
}

async function steps(place: Repository, list: Steps) {
  const outputs: string[] = [];
  for (const step of list) {
    if (step.run === undefined) continue;
    const { exitCode, stdout, stderr } = await shell(place, step.run, step.env);
    outputs.push(stdout, stderr);
    if (exitCode !== 0) return { exitCode, output: outputs.join('\n'), at: step.name ?? step.run };
  }
  return { exitCode: 0, output: outputs.join('\n'), at: null };
}

async function makeStale({ dir }: Repository): Promise<() => Promise<void>> {
  const path = join(dir, 'replication.config.ts');
  const text = await readFile(path, 'utf8');
  await writeFile(path, text.replace("tables: ['public.*']", "tables: [{ table: 'public.orders', where: 'id > 1' }]").replace(/exclude: .*\n/, ''));
  return () => writeFile(path, text);
}

describe('the workflow that init writes', () => {
  let jobs: Readonly<Record<string, { steps: Steps }>>;
  let text: string;

  test('for GitHub: checks, comments, applies what was approved and nothing else, and sees a trigger dropped by hand', async () => {
    const place = await repository('github');
    text = await readFile(join(place.dir, '.github/workflows/replication.yml'), 'utf8');
    jobs = (load(text) as { jobs: typeof jobs }).jobs;
    const run = (job: string) => steps(place, jobs[job]?.steps ?? []);
    expect(await run('check')).toMatchObject({ exitCode: 0 });
    const restore = await makeStale(place);
    expect(await run('check')).toMatchObject({
      exitCode: 2,
      at: 'the config is right, and generated/ is what it says',
      output: expect.stringContaining('::error file=generated/plan.yaml,line=1,col=1,title=SAR308::'),
    });
    await restore();
    expect(await run('plan')).toMatchObject({ exitCode: 0 });
    const comment = await readFile(place.env['STORE'] ?? '', 'utf8');
    expect(readHeader(comment)).toMatchObject({ environment: 'production', truncated: false });
    expect(await readFile(place.env['GITHUB_STEP_SUMMARY'] ?? '', 'utf8')).toContain('### sarrio plan: production');
    await writeFile(place.env['STORE'] ?? '', comment.replace(/"change":"[0-9a-f]{4}/, '"change":"0000'));
    expect(await run('apply')).toMatchObject({ exitCode: 3, at: 'apply', output: expect.stringContaining('SAR503') });
    expect(await place.shop.query("select 1 from pg_namespace where nspname = 'sarrio'")).toEqual([]);
    expect(await run('plan')).toMatchObject({ exitCode: 0 });
    expect(await run('apply')).toMatchObject({ exitCode: 0, output: expect.stringContaining('"event":"finished","exit":"ok"') });
    expect(await run('drift')).toMatchObject({ exitCode: 0 });
    await place.shop.script('drop trigger sarrio_insert on orders');
    expect(await run('drift')).toMatchObject({
      exitCode: 2,
      output: expect.stringContaining('drift shop trigger sarrio_insert on public.orders: apply installed it, but it is gone'),
    });
  });

  test('for GitLab: the same', async () => {
    const place = await repository('gitlab');
    const pipeline = load(await readFile(join(place.dir, '.gitlab-ci.yml'), 'utf8')) as Pipeline;
    const run = (job: string, env: Readonly<Record<string, string>> = {}) =>
      steps(
        place,
        (pipeline[job]?.script ?? []).map((script) => ({ run: script, env })),
      );
    const restore = await makeStale(place);
    expect(await run('check')).toMatchObject({ exitCode: 2 });
    expect(pipeline['check']?.artifacts?.reports).toEqual({ codequality: 'gl-code-quality-report.json' });
    const quality = JSON.parse(await readFile(join(place.dir, 'gl-code-quality-report.json'), 'utf8'));
    expect(quality).toContainEqual(
      expect.objectContaining({ check_name: 'SAR308', severity: 'major', location: { path: 'generated/plan.yaml', lines: { begin: 1 } } }),
    );
    await restore();
    expect(await run('plan')).toMatchObject({ exitCode: 0 });
    const id = readHeader(await readFile(place.env['STORE'] ?? '', 'utf8'))?.change ?? '';
    expect(await run('apply')).toMatchObject({ exitCode: 4 });
    expect(await run('apply', { CHANGE_PLAN: 'f'.repeat(64) })).toMatchObject({ exitCode: 3 });
    expect(await run('apply', { CHANGE_PLAN: id })).toMatchObject({ exitCode: 0 });
    await place.shop.script('alter table orders disable trigger sarrio_delete');
    expect(await run('drift')).toMatchObject({ exitCode: 2, output: expect.stringContaining('it is disabled') });
  });
});

describe('the composite action', () => {
  type Action = { runs: { steps: readonly { run: string; env: Readonly<Record<string, string>> }[] } };
  let action: Action;

  beforeAll(async () => {
    action = load(await readFile(join(root, 'action.yml'), 'utf8')) as Action;
  });

  test('takes every value through the environment: nothing of it is text of the script', () => {
    for (const { run } of action.runs.steps) expect(run).not.toContain('${{');
  });

  test('runs each command', async () => {
    const place = await repository('github');
    const command = (name: string) =>
      shell(place, action.runs.steps[0]?.run ?? '', { COMMAND: name, GENERATED: 'generated', APPROVED: 'plan.md', ENVIRONMENT: 'test' });
    for (const [name, exitCode] of [
      ['check', 0],
      ['drift', 0],
      ['plan', 0],
      ['apply', 0],
      ['drift', 0],
      ['dance', 4],
    ] as const) {
      expect(await command(name), name).toMatchObject({ exitCode });
    }
    expect(await readFile(place.env['GITHUB_OUTPUT'] ?? '', 'utf8')).toBe(`comment=${join(place.dir, 'plan.md')}\n`);
  });
});
