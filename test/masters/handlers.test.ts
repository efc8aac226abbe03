import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { verb as apply } from '../../src/commands/apply.ts';
import { verb as compile } from '../../src/commands/compile.ts';
import { verb as pull } from '../../src/commands/pull.ts';
import { type CliResult, sarrio } from '../support/cli.ts';
import type { TestDatabase } from '../support/database.ts';
import { freshDatabase } from '../support/databases.ts';
import { onAll } from '../support/follow.ts';
import { rowsOf } from '../support/masters.ts';
import { runVerb } from '../support/run-verb.ts';

const T = 'create table t (id integer primary key, v text, n bigint, at timestamptz);';

type Project = { readonly east: TestDatabase; readonly west: TestDatabase; readonly dir: string; run(...args: readonly string[]): Promise<CliResult> };

/** From a config file with this handler to two masters that hold one row, changed on both sides in different ways. */
async function projectWith(handler: string): Promise<Project> {
  const [east, west] = [await freshDatabase('east'), await freshDatabase('west')];
  await onAll([east, west], T);
  await east.script("insert into t values (1, 'old', 9007199254740993, '2026-01-01 00:00:00.000001+00')");
  const dir = await mkdtemp(join(tmpdir(), 'sarrio-handlers-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  await writeFile(
    join(dir, 'replication.config.ts'),
    `import { defineReplication, env, merge, remove, skip, take } from 'sarrio';
    export default defineReplication({
      databases: { east: env('EAST_URL'), west: env('WEST_URL') },
      syncs: { m: { mode: 'multi-master', members: ['east', 'west'], tables: ['public.t'], onConflict: ${handler} } },
    });
    void [merge, remove, skip, take];`,
  );
  const env = { EAST_URL: east.url, WEST_URL: west.url };
  for (const verb of [pull, compile, apply]) expect(await runVerb(verb, [], { cwd: dir, env })).toMatchObject({ exit: 'ok' });
  const run = (...args: readonly string[]) => sarrio(args, { cwd: dir, env });
  expect(await run('run', '--until-caught-up')).toMatchObject({ exitCode: 0 });
  await east.script("update t set v = 'east', n = n + 1");
  await west.script("update t set v = 'west', at = at + interval '1 microsecond'");
  return { east, west, dir, run };
}

async function rowsAtBoth({ east, west }: Project): Promise<readonly (readonly string[])[]> {
  return [await rowsOf(east), await rowsOf(west)];
}

test('a handler merges: no digit of a bigint, no microsecond of a time is lost', { timeout: 60_000 }, async () => {
  const project = await projectWith(
    "(conflict) => merge({ v: conflict.versions.map(({ database }) => database).join('+'), n: conflict.version('east')?.row?.['n'] ?? null })",
  );
  expect((await project.run('run', '--until-caught-up')).exitCode).toBe(0);
  const merged = '(1,east+west,9007199254740994,"2026-01-01 00:00:00.000002+00")';
  expect(await rowsAtBoth(project)).toEqual([[merged], [merged]]);
});

test.each([
  ['takes one', "() => take('east')", 1],
  ['removes the row', '() => remove()', 0],
] as const)('a handler %s', { timeout: 60_000 }, async (_, handler, rows) => {
  const project = await projectWith(handler);
  expect((await project.run('run', '--until-caught-up')).exitCode).toBe(0);
  const [east = [], west = []] = await rowsAtBoth(project);
  expect(east).toEqual(west);
  expect(east.length).toBe(rows);
});

test('a handler that throws, and one that never ends: nothing is written, and the row is said', { timeout: 90_000 }, async () => {
  for (const handler of ["() => { throw new Error('cannot decide'); }", '() => { for (;;) {} }']) {
    const project = await projectWith(handler);
    const before = await rowsAtBoth(project);
    const { exitCode, stderr } = await project.run('run', '--until-caught-up');
    expect(exitCode).toBe(3);
    expect(stderr).toMatch(/SAR622/);
    expect(stderr).toMatch(/key id = 1/);
    expect(await rowsAtBoth(project)).toEqual(before);
  }
});

test('a handler file that was edited is not run', { timeout: 60_000 }, async () => {
  const project = await projectWith("() => take('west')");
  await appendFile(join(project.dir, 'generated/handlers/m.mjs'), '\n// looks harmless\n');
  const { exitCode, stderr } = await project.run('run', '--until-caught-up');
  expect(exitCode).toBe(4);
  expect(stderr).toMatch(/SAR307/);
});

const DECIDES = `(conflict) => {
  const kind = Number(conflict.key['id']) % 5;
  if (kind === 0) return take('east');
  if (kind === 1) return take('west');
  if (kind === 2) return merge({ v: conflict.versions.map(({ operation, row }) => operation + String(row?.['v'] ?? '')).join('+') });
  return kind === 3 ? remove() : skip();
}`;
const MANY = 600;

test('a handler decides many conflicts, each as it says, once', { timeout: 120_000 }, async () => {
  const project = await projectWith(DECIDES);
  const { east, west } = project;
  expect((await project.run('run', '--until-caught-up')).exitCode).toBe(0);
  await east.script('delete from t');
  await east.script(`insert into t select g, 'old' from generate_series(1, ${MANY}) as g`);
  expect((await project.run('run', '--until-caught-up')).exitCode).toBe(0);
  await onAll([east, west], 'delete from sarrio.conflict');
  await east.script("update t set v = 'east'");
  await west.script("update t set v = 'west' where id <= 590; delete from t where id > 590");
  expect((await project.run('run', '--until-caught-up')).exitCode).toBe(0);
  const rows = (side: string): readonly string[] =>
    Array.from({ length: MANY }, (_, index) => index + 1).flatMap((id) => {
      const isGone = id > 590;
      const mine = isGone && side === 'west' ? [] : [`(${id},${side},,)`];
      const merged = `(${id},${isGone ? 'updateeast+delete' : 'updateeast+updatewest'},,)`;
      return [[`(${id},east,,)`], isGone ? [] : [`(${id},west,,)`], [merged], [], mine][id % 5] ?? [];
    });
  expect(await rowsAtBoth(project)).toEqual([[...rows('east')].sort(), [...rows('west')].sort()]);
  const records = 'select id::text, key, kind, strategy, decision, versions from sarrio.conflict order by id';
  const [one, other] = [await east.query(records), await west.query(records)];
  expect(one).toEqual(other);
  expect(one.length).toBe(MANY);
  const decisions = await east.query<{ decision: string; n: number }>('select decision, count(*)::int as n from sarrio.conflict group by 1 order by 1');
  expect(decisions.map(({ decision, n }) => `${decision} ${n}`)).toEqual(
    ['merge', 'remove', 'skip', 'take east', 'take west'].map((each) => `${each} ${MANY / 5}`),
  );
  await onAll([west], "update t set v = 'later' where id = 4");
  expect((await project.run('run', '--until-caught-up')).exitCode).toBe(0);
  expect((await rowsOf(east)).filter((row) => row.startsWith('(4,'))).toEqual(['(4,later,,)']);
});
