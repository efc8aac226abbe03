import { expect, test } from 'vitest';
import { sarrio } from '../support/cli.ts';
import { freshDatabase } from '../support/databases.ts';
import { installation } from '../support/installation.ts';

const T = 'create table t (id integer primary key, v text)';
/** More than what Node takes for a leak. */
const TARGETS = Array.from({ length: 12 }, (_, index) => `target${index}`);

test('a runner of many streams says nothing but what they do', { timeout: 120_000 }, async () => {
  const source = await freshDatabase('source');
  await source.script(`${T}; insert into t values (1, 'a')`);
  const targets: [string, Awaited<ReturnType<typeof freshDatabase>>][] = [];
  for (const name of TARGETS) targets.push([name, await freshDatabase(name)]);
  for (const [, target] of targets) await target.script(T);
  const syncs = Object.fromEntries(
    TARGETS.map((name) => [`to_${name}`, { mode: 'one-way', source: 'source', targets: [name], tables: ['public.t'] } as const]),
  );
  const project = await installation({ databases: { source, ...Object.fromEntries(targets) }, syncs });
  expect((await project.apply()).diagnostics).toEqual([]);
  const { exitCode, stderr } = await sarrio(['run', '--generated', project.dir, '--until-caught-up'], { env: project.env });
  expect(exitCode, stderr).toBe(0);
  expect(stderr).not.toMatch(/Warning/);
  for (const [name, target] of targets) expect(await target.query('select id from t'), name).toEqual([{ id: 1 }]);
});
