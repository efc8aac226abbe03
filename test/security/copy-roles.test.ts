import { expect, test } from 'vitest';
import { verb as approveVerb } from '../../src/commands/approve.ts';
import type { FullCopyMethod } from '../../src/index.ts';
import { tablesEqual } from '../support/compare.ts';
import { catchUp, copyOnce, cutOff } from '../support/follow.ts';
import { mastersOf } from '../support/mastering.ts';
import { leftAlone } from '../support/ranges.ts';
import { guarded, lendReplication, runHints } from '../support/roles.ts';
import { runVerb } from '../support/run-verb.ts';

const SCHEMA = 'create table t (id integer primary key, v text);';

test.each<[FullCopyMethod, readonly string[]]>([
  ['delete', []],
  ['changed-only', []],
  ['truncate', ['SAR408']],
])('a full copy (%s) by a runner without superuser, with the rights that plan names and not one more', async (method, codes) => {
  const { source, target, roles, project, as } = await guarded(SCHEMA, {
    syncs: { c: { mode: 'full-copy', source: 'source', targets: ['target'], tables: ['public.t'], method } },
  });
  const { diagnostics } = await project.apply();
  expect(diagnostics.map(({ code }) => code)).toEqual(codes);
  await runHints(target, diagnostics);
  expect(await project.apply()).toMatchObject({ exit: 'ok', diagnostics: [] });
  for (const change of ['insert into t select g from generate_series(1, 100) g', "update t set v = 'x' where id < 9; delete from t where id > 90"]) {
    await source.script(change);
    await copyOnce(as(roles.runner));
    expect(await tablesEqual(source, target, 'public.t')).toBe(true);
  }
});

test('a copy in ranges and an approval by a runner without superuser', async () => {
  const { source, target, roles, project, as } = await guarded(SCHEMA, {
    syncs: { s: { mode: 'one-way', source: 'source', targets: ['target'], tables: ['public.t'], copy: { chunk: '1 MB' }, guard: { truncate: true } } },
  });
  await source.query("insert into t select g, repeat('x', 100) from generate_series(1, 20000) g");
  expect(await project.apply()).toMatchObject({ exit: 'ok', diagnostics: [] });
  const running = as(roles.runner);
  const events = await catchUp(running);
  expect(events.some(({ kind }) => kind === 'copy-range')).toBe(true);
  expect(await tablesEqual(source, target, 'public.t')).toBe(true);
  await source.query('truncate t');
  await expect(catchUp(running)).rejects.toThrow(/SAR660/);
  const approve = (...args: readonly string[]) => runVerb(approveVerb, [...args, '--generated', project.dir], { cwd: project.dir, env: running.env });
  const { waiting } = (await approve()).data as { waiting: readonly { id: string }[] };
  expect(await approve(waiting[0]?.id ?? '')).toMatchObject({ exit: 'ok', diagnostics: [] });
  await catchUp(running);
  expect(await tablesEqual(source, target, 'public.t')).toBe(true);
});

test('a master that joins is copied in ranges, and compared after a crash, by a runner without superuser', async () => {
  const { source, target, roles, project, as } = await guarded(SCHEMA, {
    syncs: { m: mastersOf(['public.t'], ['source', 'target'], { copy: { chunk: '1 MB' } }) },
  });
  await source.query("insert into t select g, repeat('x', 100) from generate_series(1, 20000) g");
  await source.script(`grant insert, update, delete on t to ${roles.runner}; grant select on t to ${roles.owner}`);
  await target.script(`grant select, trigger on t to ${roles.owner}`);
  await lendReplication(source, roles.runner);
  expect(await project.apply()).toMatchObject({ exit: 'ok', diagnostics: [] });
  const running = as(roles.runner);
  await cutOff(running, 'copy.after-range', 1);
  await leftAlone({ source, target });
  await source.query("update t set v = 'later' where id % 100 = 0");
  const events = await catchUp(running);
  expect(events.some(({ kind }) => kind === 'copy-compared')).toBe(true);
  expect(await tablesEqual(source, target, 'public.t')).toBe(true);
});
