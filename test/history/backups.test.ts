import { describe, expect, test } from 'vitest';
import { backUp, restore, startCopy } from '../support/backup.ts';
import { buildOnce } from '../support/build.ts';
import { sarrio } from '../support/cli.ts';
import { differingRows } from '../support/compare.ts';
import { openDatabase, type TestDatabase } from '../support/database.ts';
import { catchUp } from '../support/follow.ts';
import { pointedTo, stage } from '../support/history.ts';
import type { Installation } from '../support/installation.ts';
import { purging } from '../support/purging.ts';

const LONG = { timeout: 300_000 };

/** The command that every one of these errors names; afterwards all rows are equal, and rounds go on. */
async function repaired(source: TestDatabase, target: TestDatabase, project: Installation): Promise<void> {
  await buildOnce();
  const { exitCode } = await sarrio(['copy', '--sync', 's', '--target', 'target', '--replace', '--generated', project.dir], { env: project.env });
  expect(exitCode).toBe(0);
  await catchUp(project);
  expect(await differingRows(source, target, 'public.t')).toEqual([]);
  await source.query("insert into t values (-1, 'afterwards')");
  await catchUp(project);
  expect(await differingRows(source, target, 'public.t')).toEqual([]);
}

async function burnTransactions(source: TestDatabase, count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await source.query('select pg_current_xact_id()');
}

async function writeAndFollow(source: TestDatabase, project: Installation, turns: number, note: string): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await source.query('insert into t select coalesce(max(id), 0) + 1, $1 from t', [note]);
  await catchUp(project);
}

describe('the source is restored from an older backup', () => {
  test('with transactions that end before the watermark', LONG, async () => {
    const { sourceServer, source, target, project } = await stage();
    const backup = await backUp(sourceServer);
    await writeAndFollow(source, project, 30, 'lost');
    await restore(sourceServer, backup);
    const told = await catchUp(project).catch((error: Error) => error.message);
    expect(told).toMatch(/SAR605: database source: .*restored from a backup/);
    expect(told).toContain('sarrio copy --sync s --target target --replace');
    await repaired(source, target, project);
  });

  test('with transactions that have run past the watermark since', LONG, async () => {
    const { sourceServer, source, target, project } = await stage();
    const backup = await backUp(sourceServer);
    await writeAndFollow(source, project, 5, 'lost');
    await restore(sourceServer, backup);
    await source.query("insert into t values (5000, 'written in the second life')");
    await burnTransactions(source, 300);
    await expect(catchUp(project)).rejects.toThrow(/SAR605: database source: it does not know what target has acknowledged/);
    expect(await target.query('select from t where id = 5000')).toEqual([]);
    await repaired(source, target, project);
  });

  test('to a new timeline, as point-in-time recovery does: all kept changes again, and unverified', LONG, async () => {
    const { sourceServer, source, target, project } = await stage();
    const backup = await backUp(sourceServer);
    await writeAndFollow(source, project, 30, 'lost');
    await restore(sourceServer, backup, { newTimeline: true });
    const events = await catchUp(project);
    expect(events.some(({ kind }) => kind === 'history-changed')).toBe(true);
    expect(await target.query('select unverified_reason as reason from sarrio.watermark')).toEqual([{ reason: 'source went from timeline 1 to 2' }]);
    await repaired(source, target, project);
    expect(await target.query('select unverified_reason as reason from sarrio.watermark')).toEqual([{ reason: null }]);
  });
});

describe('the target is restored from an older backup', () => {
  test('before anything later was acknowledged, it simply catches up', LONG, async () => {
    const { targetServer, source, target, project } = await stage();
    await writeAndFollow(source, project, 3, 'both have it');
    const backup = await backUp(targetServer);
    await source.query("insert into t values (2000, 'later')");
    await restore(targetServer, backup);
    await catchUp(project);
    expect(await differingRows(source, target, 'public.t')).toEqual([]);
  });

  test.each(['same', 'new'])('behind what the source may have purged, on the %s timeline, it is refused', LONG, async (timeline) => {
    const { targetServer, source, target, project } = await stage();
    const backup = await backUp(targetServer);
    const purger = await purging(source, (await project.generated()).plan);
    for (let turn = 1; turn <= 3; turn += 1) {
      await writeAndFollow(source, project, 10, 'purged');
      await purger.once();
    }
    await purger.close();
    expect(purger.events.length).toBeGreaterThan(0);
    await restore(targetServer, backup, { newTimeline: timeline === 'new' });
    const told = await catchUp(project).catch((error: Error) => error.message);
    expect(told).toMatch(/SAR604: database target: .*lies before what source may have purged/);
    expect(told).toContain('sarrio copy --sync s --target target --replace');
    await repaired(source, target, project);
  });
});

describe('the runner is pointed to a copy of the source', () => {
  test('made by CREATE DATABASE with the source as its template', LONG, async () => {
    const { sourceServer, source, target, project } = await stage();
    await source.close();
    const admin = openDatabase(sourceServer.url('postgres'));
    await admin.query('create database clone template shop');
    await admin.close();
    const clone = pointedTo(project, sourceServer.url('clone'));
    await clone.database.query("insert into t values (3000, 'clone')");
    await expect(catchUp(clone.project)).rejects.toThrow(/SAR603: database source: this is not the database that target has followed/);
    expect(await target.query('select from t where id = 3000')).toEqual([]);
    // The original goes on as if nothing had happened.
    const original = pointedTo(project, sourceServer.url('shop'));
    await original.database.query("insert into t values (3001, 'original')");
    await catchUp(project);
    expect(await differingRows(original.database, target, 'public.t')).toEqual([]);
    await repaired(clone.database, target, clone.project);
  });

  test('of its files, which has lived a life of its own since', LONG, async () => {
    const { sourceServer, source, target, project } = await stage();
    const copy = await startCopy(await backUp(sourceServer));
    await writeAndFollow(source, project, 5, 'original');
    const other = pointedTo(project, copy.url('shop'));
    await expect(catchUp(other.project)).rejects.toThrow(/SAR605/);
    await other.database.query("insert into t values (3000, 'copy')");
    await burnTransactions(other.database, 300);
    await expect(catchUp(other.project)).rejects.toThrow(/SAR605: database source: it does not know what target has acknowledged.* or is a copy/);
    expect(await target.query('select from t where id = 3000')).toEqual([]);
    await catchUp(project);
    expect(await differingRows(source, target, 'public.t')).toEqual([]);
  });

  test('restored from a dump into a new cluster, as for a new major version', LONG, async () => {
    const { source, targetServer, target, project } = await stage();
    await writeAndFollow(source, project, 3, 'both');
    await targetServer.createDatabase('dumped').then((database) => database.close());
    const restored = pointedTo(project, targetServer.url('dumped'));
    await dumpAndRestore(source, restored.database, restored.project);
    await restored.database.query("insert into t values (3000, 'restored')");
    await expect(catchUp(restored.project)).rejects.toThrow(/SAR603/);
    expect(await target.query('select from t where id = 3000')).toEqual([]);
    await repaired(restored.database, target, restored.project);
  });
});

/** What pg_dump would bring along: the table, every object of ours, and the rows of our bookkeeping and of the table. */
async function dumpAndRestore(source: TestDatabase, to: TestDatabase, project: Installation): Promise<void> {
  await to.script('create table t (id bigint primary key, v text);');
  await buildOnce();
  expect((await sarrio(['apply', '--generated', project.dir], { env: project.env })).exitCode).toBe(0);
  for (const table of ['public.t', 'sarrio.acknowledged', 'sarrio.delta_public_t']) {
    const rows = await source.query<{ row: unknown }>(`select to_jsonb(d) as row from ${table} as d`);
    await to.script(`set session_replication_role = replica; delete from ${table};`);
    await to.query(`insert into ${table} select (jsonb_populate_record(null::${table}, r)).* from jsonb_array_elements($1::jsonb) as r`, [
      JSON.stringify(rows.map(({ row }) => row)),
    ]);
  }
}

describe('the runner is pointed to a copy of the target', () => {
  test('two copies of a target cannot both be fed: the one that is behind is refused, never left with a gap', LONG, async () => {
    const { targetServer, source, target, project } = await stage();
    const copy = await startCopy(await backUp(targetServer));
    const other = pointedTo(project, copy.url('shop'), 'TARGET_URL');
    const purger = await purging(source, (await project.generated()).plan);
    for (let turn = 1; turn <= 3; turn += 1) {
      await writeAndFollow(source, project, 5, 'to the original');
      await purger.once();
    }
    await purger.close();
    await expect(catchUp(other.project)).rejects.toThrow(/SAR604/);
    expect(await differingRows(source, target, 'public.t')).toEqual([]);
  });
});
