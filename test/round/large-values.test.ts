import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { differingRows } from '../support/compare.ts';
import { sarrio, startSarrio } from '../support/cli.ts';
import { freshDatabase } from '../support/databases.ts';
import { onAll } from '../support/follow.ts';
import { installation } from '../support/installation.ts';
import { waitUntil } from '../support/wait.ts';

const MB = 1_000_000;
const BOUND_MB = 250;

/** 100 MB that no compression makes smaller, and 100 MB that become next to nothing. */
const LARGE = `
  insert into t select 1, b, null from (select string_agg(decode(md5(g::text) || md5((-g)::text), 'hex'), ''::bytea) as b from generate_series(1, ${(100 * MB) / 32}) g) as x;
  insert into t values (2, null, repeat('ä', ${50 * MB}));`;

test('values of 100 MB go through the initial copy and through rounds, and the runner holds none of them in memory', { timeout: 300_000 }, async () => {
  const [source, target] = [await freshDatabase('source'), await freshDatabase('target')];
  await onAll([source, target], 'create table t (id integer primary key, b bytea, v text);');
  const sync = { mode: 'one-way', source: 'source', targets: ['target'], tables: ['public.t'] } as const;
  const project = await installation({ databases: { source, target }, syncs: { s: sync } });
  await source.script(LARGE);
  expect((await project.apply()).diagnostics).toEqual([]);
  expect((await sarrio(['run', '--until-caught-up', '--generated', project.dir], { env: project.env })).exitCode).toBe(0);
  expect(await differingRows(source, target, 'public.t')).toEqual([]);
  const runner = startSarrio(['run', '--generated', project.dir], { env: project.env });
  // One comes as a new row, the other as an update.
  await source.script("update t set id = 11 where id = 1; update t set v = v || 'x' where id = 2; insert into t values (1, 'small', 'small')");
  await waitUntil('the large rows are there', async () => (await target.query(`select from t where id = 11 or length(v) = ${50 * MB + 1}`)).length === 2, {
    timeoutMs: 120_000,
    everyMs: 500,
  });
  await source.script('delete from t where id = 1; update t set v = left(v, 5) where id = 2');
  await waitUntil('nothing differs', async () => (await target.query('select from t where id = 2 and length(v) = 5')).length === 1, { timeoutMs: 120_000 });
  expect(await differingRows(source, target, 'public.t')).toEqual([]);
  const peak = await peakMb(runner.pid);
  await runner.stop();
  if (peak !== null) expect(peak).toBeLessThan(BOUND_MB);
});

/** Largest resident memory of a living process; null where nobody can tell. */
async function peakMb(pid: number): Promise<number | null> {
  if (process.platform !== 'linux') return null;
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]) / 1024;
}
