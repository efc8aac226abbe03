import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FullCopySync } from '../../src/index.ts';
import { FULL_COPY_POINTS } from '../crash/points.ts';
import { buildOnce } from '../support/build.ts';
import { differingRows } from '../support/compare.ts';
import { copied } from '../support/copying.ts';
import { startRunner } from '../support/crash-pair.ts';
import type { TestDatabase } from '../support/database.ts';
import { catchUp, copyOnce } from '../support/follow.ts';
import { installation } from '../support/installation.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { waitUntil } from '../support/wait.ts';

const METHODS = ['delete', 'truncate', 'swap', 'changed-only'] as const;
const SCHEMA = 'create table t (id integer primary key, v integer); create table u (id integer primary key, v integer);';
const GROUP = 'select v from t union all select v from u';

/** The values of `v` in both tables, each once: what a reader sees of the group. */
async function seen(target: TestDatabase): Promise<readonly number[]> {
  const rows = await target.query<{ v: number }>(`select distinct v from (${GROUP}) as g order by v`);
  return rows.map(({ v }) => v);
}

async function change(source: TestDatabase, v: number): Promise<void> {
  await source.script(`begin; update t set v = ${v}; update u set v = ${v}; commit`);
}

const FILL = 'insert into t select g, 0 from generate_series(1, 100) g; insert into u select g, 0 from generate_series(1, 100) g';

describe.each(METHODS)('%s', (method) => {
  test('whose connection is cut off anywhere leaves the old rows of the whole group, and comes again', { timeout: 120_000 }, async () => {
    const { source, target, project } = await copied(SCHEMA, { method });
    await source.script(FILL);
    await catchUp(project);
    const points = FULL_COPY_POINTS.filter((point) => method === 'swap' || point !== 'full-copy.before-swap');
    for (const [index, point] of points.entries()) {
      await change(source, index + 1);
      const cuts: (readonly number[])[] = [];
      await copyOnce(project, async (name) => {
        if (name !== point || cuts.length > 0) return;
        await target.query(
          "select pg_terminate_backend(pid, 5000) from pg_stat_activity where application_name = 'sarrio target' and datname = current_database()",
        );
        cuts.push(await seen(target));
      });
      if (point !== 'full-copy.commit-sent') expect(cuts, point).toEqual([[index]]);
      expect(await seen(target), point).toEqual([index + 1]);
      expect(await differingRows(source, target, 'public.t', 'public.u'), point).toEqual([]);
    }
  });
});

describe('a process', () => {
  beforeAll(buildOnce, 180_000);

  test.each(['swap', 'delete'] as const)(
    'that is killed anywhere in a %s leaves the old rows, and the next one copies',
    { timeout: 180_000 },
    async (method) => {
      const { source, target, project } = await copied(SCHEMA, { method });
      await source.script(FILL);
      await catchUp(project);
      const points = method === 'swap' ? FULL_COPY_POINTS : (['full-copy.before-load', 'full-copy.commit-sent'] as const);
      for (const [index, point] of points.entries()) {
        await change(source, index + 1);
        expect((await project.kick('--sync', 's')).exit).toBe('ok');
        const running = startRunner(project, `${point}=kill`);
        await waitUntil(`the runner is killed at ${point}`, () => running.ended.then(() => true), { timeoutMs: 60_000 });
        const left = await seen(target);
        if (point !== 'full-copy.commit-sent') expect(left, point).toEqual([index]);
        await catchUp(project);
        expect(await seen(target), point).toEqual([index + 1]);
      }
      expect(await target.query("select count(*)::int as n from pg_class where relname like 'swap\\_\\_%'")).toEqual([{ n: 0 }]);
    },
  );
});

describe('a target server', () => {
  const stage: { server: TestServer | null } = { server: null };

  beforeAll(async () => {
    stage.server = await startServer({ durable: false });
  }, 120_000);

  afterAll(() => stage.server?.dispose());

  test('that crashes before the commit has the old rows, and the copy comes when it is back', { timeout: 120_000 }, async () => {
    const { server } = stage;
    if (server === null) throw new Error('no server');
    const [source, target] = [await server.createDatabase('source'), await server.createDatabase('target')];
    await source.script(SCHEMA + FILL);
    await target.script(SCHEMA);
    const sync: FullCopySync = { mode: 'full-copy', source: 'source', targets: ['target'], tables: ['public.*'], method: 'swap' };
    const project = await installation({ databases: { source, target }, syncs: { s: sync } });
    await project.apply();
    await catchUp(project);
    await change(source, 1);
    const crashes = { done: 0, seen: [] as readonly number[] };
    await copyOnce(project, async (name) => {
      if (name !== 'full-copy.before-commit' || crashes.done > 0) return;
      crashes.done += 1;
      await server.stop('immediate');
      await server.start();
      crashes.seen = await seen(target);
    });
    expect(crashes).toEqual({ done: 1, seen: [0] });
    expect(await seen(target)).toEqual([1]);
    await source.close();
    await target.close();
  });
});
