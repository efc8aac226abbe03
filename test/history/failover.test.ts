import { describe, expect, test } from 'vitest';
import { markVerified, unverifiedSince } from '../../src/runner/8-round/trust.ts';
import { connect } from '../../src/runner/postgres/session.ts';
import { promote, startStandby } from '../support/backup.ts';
import { buildOnce } from '../support/build.ts';
import { sarrio } from '../support/cli.ts';
import { differingRows } from '../support/compare.ts';
import { catchUp, follow } from '../support/follow.ts';
import { pointedTo, stage } from '../support/history.ts';
import type { Installation } from '../support/installation.ts';
import { waitUntil } from '../support/wait.ts';

const STREAM = { sync: 's', source: 'source', target: 'target' };

async function stateOf(project: Installation): Promise<{ state: string; reason: string | null; warnings: readonly string[]; text: string }> {
  const { stdout } = await sarrio(['status', '--json', '--generated', project.dir], { env: project.env });
  const { stdout: text, stderr } = await sarrio(['status', '--generated', project.dir], { env: project.env });
  const { data, diagnostics } = JSON.parse(stdout) as {
    data: { streams: readonly { state: string; reason: string | null }[] };
    diagnostics: readonly { code: string }[];
  };
  const stream = data.streams[0];
  return { state: stream?.state ?? '', reason: stream?.reason ?? null, warnings: diagnostics.map(({ code }) => code), text: text + stderr };
}

/** A source that failed over to a standby which never got its last changes; the target had them already. */
async function failedOver() {
  await buildOnce();
  const { sourceServer, source, target, project } = await stage();
  const standby = await startStandby(sourceServer);
  await source.query("insert into t select g, 'kept' from generate_series(101, 200) g");
  await source.query("update t set v = 'kept too' where id = 1");
  await catchUp(project);
  const lsn = (await source.query('select pg_current_wal_insert_lsn()::text as lsn'))[0]?.['lsn'];
  const follower = pointedTo(project, standby.url('shop'));
  await waitUntil(
    'the standby has it',
    async () => (await follower.database.query('select pg_last_wal_replay_lsn() >= $1::pg_lsn as yes', [lsn]))[0]?.['yes'] === true,
  );
  await standby.stop();
  await source.query("insert into t select g, 'lost' from generate_series(201, 250) g");
  await source.query("update t set v = 'lost' where id between 1 and 10");
  await source.query('delete from t where id between 11 and 20');
  await catchUp(project);
  await sourceServer.stop('immediate');
  await standby.start();
  await promote(standby);
  return { standby, source: follower.database, target, project: follower.project };
}

describe('failover of the source to a standby that lagged', () => {
  test('all kept changes are sent again, and the stream is unverified until the two were compared, through restarts', { timeout: 300_000 }, async () => {
    const { source, target, project } = await failedOver();
    await source.query("insert into t select g, 'new' from generate_series(301, 320) g");
    await source.query("update t set v = 'new' where id in (1, 2)");
    const events = await catchUp(project);
    expect(events.filter(({ kind }) => kind === 'history-changed')).toHaveLength(1);
    expect(await target.query("select count(*)::int as n from t where v = 'new'")).toEqual([{ n: 22 }]);
    expect(await target.query("select count(*)::int as n from t where v = 'kept'")).toEqual([{ n: 100 }]);
    // What only the target has, and what the source still has but the target deleted, no change tells of.
    expect((await differingRows(source, target, 'public.t')).length).toBeGreaterThan(0);

    const running = follow(project);
    await waitUntil('status says so', async () => (await stateOf(project)).state === 'unverified');
    const { reason, warnings, text } = await stateOf(project);
    expect(reason).toMatch(/source went from timeline 1 to 2/);
    expect(warnings).toEqual(['SAR616']);
    expect(text).toContain('sarrio verify --sync s');
    await running.stop();
    expect((await catchUp(project)).filter(({ kind }) => kind === 'history-changed')).toEqual([]);
    // Acknowledged on the new timeline, so that purging goes on.
    expect((await source.query('select position from sarrio.acknowledged'))[0]?.['position']).toMatch(/^\d+\.\d+\.2\//);

    const session = await connect({ database: 'target', url: target.url, variable: 'TARGET_URL', role: 'target' });
    const since = await unverifiedSince(session, STREAM);
    expect(since).not.toBeNull();
    expect(await markVerified(session, STREAM, '2001-01-01 00:00:00+00')).toBe(false);
    expect(await markVerified(session, STREAM, since ?? '')).toBe(true);
    expect(await unverifiedSince(session, STREAM)).toBeNull();
    await session.close();
    expect((await stateOf(project)).warnings).toEqual([]);
  });

  test('sarrio copy --replace makes all rows equal and the stream trusted', { timeout: 300_000 }, async () => {
    const { source, target, project } = await failedOver();
    await catchUp(project);
    const { exitCode } = await sarrio(['copy', '--sync', 's', '--target', 'target', '--replace', '--generated', project.dir], { env: project.env });
    expect(exitCode).toBe(0);
    await catchUp(project);
    expect(await differingRows(source, target, 'public.t')).toEqual([]);
    expect((await stateOf(project)).warnings).toEqual([]);
    await source.query("update t set v = 'later'");
    await catchUp(project);
    expect(await differingRows(source, target, 'public.t')).toEqual([]);
  });
});

test('an old primary that still runs after a failover is refused', { timeout: 300_000 }, async () => {
  const { sourceServer, source, target, project } = await stage();
  const standby = await startStandby(sourceServer);
  await promote(standby);
  const present = pointedTo(project, standby.url('shop'));
  await present.database.query("insert into t values (1000, 'new primary')");
  await catchUp(present.project);
  await source.query("insert into t values (1000, 'old primary')");
  await expect(catchUp(project)).rejects.toThrow(/SAR605: database source: it is on timeline 1, but target has followed timeline 2/);
  expect(await target.query('select v from t where id = 1000')).toEqual([{ v: 'new primary' }]);
  await catchUp(present.project);
  expect(await differingRows(present.database, target, 'public.t')).toEqual([]);
});

test('a standby is refused as a source until it is promoted', { timeout: 300_000 }, async () => {
  const { sourceServer, project, target } = await stage();
  const standby = await startStandby(sourceServer);
  const follower = pointedTo(project, standby.url('shop'));
  await expect(catchUp(follower.project)).rejects.toThrow(/SAR404/);
  await promote(standby);
  // Nothing is pending: the watermark moves to the new history all the same, so that a restart does not find it broken again.
  const changed = async (): Promise<number> => (await catchUp(follower.project)).filter(({ kind }) => kind === 'history-changed').length;
  expect(await changed()).toBe(1);
  expect(await changed()).toBe(0);
  await follower.database.query("insert into t values (1000, 'promoted')");
  await catchUp(follower.project);
  expect(await differingRows(follower.database, target, 'public.t')).toEqual([]);
});
