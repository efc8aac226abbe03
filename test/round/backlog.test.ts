import { describe, expect, onTestFinished, test } from 'vitest';
import type { Backlog, OneWaySync } from '../../src/index.ts';
import { newBacklogWatch, watchBacklog } from '../../src/runner/8-round/backlog.ts';
import { openSource } from '../../src/runner/8-round/source.ts';
import { systemClock } from '../../src/runner/clock.ts';
import type { RunnerEvent } from '../../src/runner/events.ts';
import { noFailpoint } from '../../src/runner/failpoint.ts';
import { parsePosition } from '../../src/plan/position.ts';
import { connect } from '../../src/runner/postgres/session.ts';
import { sarrio } from '../support/cli.ts';
import { differingRows } from '../support/compare.ts';
import type { TestDatabase } from '../support/database.ts';
import { freshDatabase } from '../support/databases.ts';
import { catchUp, follow, onAll } from '../support/follow.ts';
import { type Installation, installation, oneWayOf } from '../support/installation.ts';
import { type Purging, purging } from '../support/purging.ts';
import { waitUntil } from '../support/wait.ts';

const T = 'create table t (id integer primary key, v integer);';
const LONG = { timeout: 180_000 };
const away = 'postgres://nobody@127.0.0.1:1/away';

/** A source with targets `near` and `far`, both caught up with a thousand rows; `far` can be sent away by its connection string. */
async function stage(maxBacklog?: Backlog) {
  const [source, near, far] = [await freshDatabase('source'), await freshDatabase('near'), await freshDatabase('far')];
  await onAll([source, near, far], T);
  const sync: OneWaySync = {
    mode: 'one-way',
    source: 'source',
    targets: ['near', 'far'],
    tables: ['public.t'],
    ...(maxBacklog === undefined ? {} : { maxBacklog }),
  };
  const project = await installation({ databases: { source, near, far }, syncs: { s: sync } });
  expect((await project.apply()).diagnostics).toEqual([]);
  await source.query('insert into t select g, 0 from generate_series(1, 1000) g');
  await catchUp(project);
  const without: Installation = { ...project, env: { ...project.env, FAR_URL: away } };
  const purger = await purging(source, (await project.generated()).plan);
  onTestFinished(() => purger.close());
  return { source, near, far, project, without, purger, sync };
}

async function kept(source: TestDatabase): Promise<number> {
  return Number((await source.query('select count(*)::int as n from sarrio.delta_public_t'))[0]?.['n']);
}

async function purgeAll(purger: Purging): Promise<void> {
  for (let turn = 0; turn < 4; turn += 1) await purger.once();
}

/** One look at the budgets of the source, without the grace that a runner gives. */
async function watching(source: TestDatabase, project: Installation) {
  const open = () => connect({ database: 'source', url: source.url, variable: 'SOURCE_URL', role: 'source' });
  const { plan } = await project.generated();
  const sync = oneWayOf(plan, 's');
  const [session, opened] = [await open(), await openSource({ name: 'source', sync, connect: open, clock: systemClock, failpoint: noFailpoint })];
  onTestFinished(() => session.close());
  onTestFinished(() => opened.close());
  const events: RunnerEvent[] = [];
  const log = (event: RunnerEvent): void => void events.push(event);
  const watch = newBacklogWatch();
  return {
    events,
    once: () => watchBacklog({ database: 'source', plan, session, history: opened.history, log, clock: systemClock, watch, graceMs: 0 }),
  };
}

async function detached(source: TestDatabase): Promise<readonly string[]> {
  return (await source.query<{ target: string }>('select target from sarrio.acknowledged where detached_at is not null')).map(({ target }) => target);
}

/** The near target goes on while the far one is away, until it has everything and the source knows. */
async function followNear(at: { source: TestDatabase; near: TestDatabase; without: Installation }, done: string): Promise<void> {
  const running = follow(at.without);
  await waitUntil('the near target has it', async () => (await at.near.query(done)).length > 0, { timeoutMs: 90_000 });
  await waitUntil('it is acknowledged', async () => {
    const [applied] = await at.near.query<{ position: string }>('select position from sarrio.watermark');
    return (await at.source.query('select from sarrio.acknowledged where position = $1', [applied?.position])).length === 1;
  });
  await waitUntil('the far one is missed', () => running.events.some((event) => event.kind === 'retry' && event.stream.target === 'far'));
  await running.stop();
}

describe('a target that is away', () => {
  test('gets 300,000 changed keys when it returns, and nothing of them stays behind', LONG, async () => {
    const { source, near, far, project, without, purger } = await stage();
    for (let turn = 1; turn <= 3; turn += 1) {
      await source.query('insert into t select g, $1 from generate_series(1, 100000) g on conflict (id) do update set v = excluded.v', [turn]);
      await purger.once();
    }
    await followNear({ source, near, without }, 'select from t where id = 100000 and v = 3');
    await purgeAll(purger);
    expect(await kept(source)).toBeGreaterThanOrEqual(300_000);
    await catchUp(project);
    expect(await differingRows(source, far, 'public.t')).toEqual([]);
    await purgeAll(purger);
    expect(await kept(source)).toBe(0);
  });

  test('beyond the budget is detached while the near one goes on; sarrio copy brings it back', LONG, async () => {
    const { source, near, far, project, without, purger } = await stage({ rows: 20_000 });
    const watcher = await watching(source, project);
    await source.query('update t set v = 1');
    await watcher.once();
    expect(watcher.events).toEqual([]);

    await source.query('insert into t select g, 1 from generate_series(1001, 18000) g');
    await followNear({ source, near, without }, 'select from t where id = 18000');
    await watcher.once();
    await watcher.once();
    expect(watcher.events).toMatchObject([{ kind: 'backlog', stream: { target: 'far' }, percent: 90 }]);
    const warned = await sarrio(['status', '--json', '--exit-code', '--generated', project.dir], { env: project.env });
    expect(warned.exitCode).toBe(2);
    expect(JSON.parse(warned.stdout)).toMatchObject({ diagnostics: [{ code: 'SAR615', severity: 'warning' }] });
    await purgeAll(purger);
    expect(await detached(source)).toEqual([]);

    await source.query('insert into t select g, 2 from generate_series(18001, 40000) g');
    await followNear({ source, near, without }, 'select from t where id = 40000');
    await watcher.once();
    expect(watcher.events.slice(1)).toMatchObject([{ kind: 'detached', stream: { target: 'far' } }]);
    expect(await detached(source)).toEqual(['far']);
    await purgeAll(purger);
    expect(await kept(source)).toBe(0);

    const refused = await sarrio(['run', '--until-caught-up', '--generated', project.dir], { env: project.env });
    expect(refused.exitCode).toBe(3);
    expect(refused.stderr).toMatch(/SAR613: database source: far was detached from sync s at .*holds back 40\d{3} changes/);
    expect(refused.stderr).toContain('sarrio copy --sync s --target far --replace');
    const status = await sarrio(['status', '--json', '--generated', project.dir], { env: project.env });
    expect(JSON.parse(status.stdout)).toMatchObject({
      diagnostics: [{ code: 'SAR613' }],
      data: { streams: [{ target: 'near' }, { target: 'far', state: 'detached' }] },
    });

    await source.query('delete from t where id % 3 = 0');
    expect((await sarrio(['copy', '--sync', 's', '--target', 'far', '--replace', '--generated', project.dir], { env: project.env })).exitCode).toBe(0);
    await catchUp(project);
    expect(await differingRows(source, far, 'public.t')).toEqual([]);
    expect(await differingRows(source, near, 'public.t')).toEqual([]);
  });

  test('a size as budget, and a target that never came', LONG, async () => {
    const { source, project, near, without } = await stage({ size: '512 kB' });
    await source.query("update sarrio.acknowledged set position = null, registration = gen_random_uuid() where target = 'far'");
    await source.query('insert into t select g, 1 from generate_series(1001, 18000) g');
    await followNear({ source, near, without }, 'select from t where id = 18000');
    const watcher = await watching(source, project);
    await watcher.once();
    expect(await detached(source)).toEqual(['far']);
  });

  test('that is at work is never detached, however much it is behind', LONG, async () => {
    const { source, project } = await stage({ rows: 1000 });
    await source.query('update t set v = v + 1');
    await source.query('update t set v = v + 1');
    await source.query("update sarrio.stream set state = 'running', reported_at = clock_timestamp()");
    const watcher = await watching(source, project);
    await watcher.once();
    expect(watcher.events.map(({ kind }) => kind)).toEqual(['backlog', 'backlog']);
    expect(await detached(source)).toEqual([]);
    await source.query("update sarrio.stream set state = 'failed'");
    await watcher.once();
    expect(await detached(source)).toEqual(['far', 'near']);
  });
});

test('a stream that sleeps through its own detachment does not step over what was emptied', LONG, async () => {
  const { source, far, project, purger } = await stage();
  const running = follow(project);
  await waitUntil('both streams run', () => running.events.filter(({ kind }) => kind === 'caught-up').length === 2);
  // As after a suspended machine: the stream runs, its position in memory, and meanwhile its changes are given up.
  await source.query("update sarrio.acknowledged set detached_at = now(), detached_reason = 'test' where target = 'far'");
  await source.query('insert into t select g, 7 from generate_series(2000, 2500) g');
  await waitUntil('the near one has acknowledged and purging goes on', async () => {
    await purger.once();
    return (await kept(source)) === 0;
  });
  await source.query('insert into t values (9000, 9)');
  await waitUntil('the stream is refused', () =>
    running.events.some((event) => event.kind === 'retry' && event.code === 'SAR613' && event.stream.target === 'far'),
  );
  const [row] = await far.query<{ n: number }>('select count(*)::int as n from t where id = 9000 and not exists (select from t as o where o.id = 2250)');
  expect(row?.n).toBe(0);
  expect((await sarrio(['copy', '--sync', 's', '--target', 'far', '--replace', '--generated', project.dir], { env: project.env })).exitCode).toBe(0);
  await waitUntil('the running runner copies by itself', async () => (await far.query('select from t where id = 9000')).length === 1, { timeoutMs: 60_000 });
  await running.stop();
  await catchUp(project);
  expect(await differingRows(source, far, 'public.t')).toEqual([]);
});

test('a look that misses what was emptied without regard to its stream sees the registry changed', LONG, async () => {
  const { source, near, far, project, without, purger } = await stage();
  const { plan } = await project.generated();
  const sync = oneWayOf(plan, 's');
  const [row] = await far.query<{ position: string }>('select position from sarrio.watermark');
  if (!row) throw new Error('the target has no watermark');
  const connectSource = () => connect({ database: 'source', url: source.url, variable: 'SOURCE_URL', role: 'source' });
  const opened = await openSource({ name: 'source', sync, connect: connectSource, clock: systemClock, failpoint: noFailpoint });
  onTestFinished(() => opened.close());
  const look = async () => {
    const reading = await opened.open(parsePosition(row.position));
    await reading.release();
    return reading;
  };
  const before = await look();
  await source.query('update t set v = 8');
  expect((await look()).pending).toMatchObject([{ entries: 1000 }]);
  await source.query("update sarrio.acknowledged set detached_at = now(), detached_reason = 'test' where target = 'far'");
  await followNear({ source, near, without }, 'select from t where id = 1000 and v = 8');
  await purgeAll(purger);
  expect(await kept(source)).toBe(0);
  const after = await look();
  expect(after.pending).toEqual([]);
  expect(after.registry).not.toBe(before.registry);
});

test('a target that left the config holds nothing once it is applied', LONG, async () => {
  const { source, near, project, without, sync } = await stage();
  await source.query('update t set v = 1');
  await followNear({ source, near, without }, 'select from t where id = 1000 and v = 1');
  const { plan } = await project.compile({ s: { ...sync, targets: ['near'] } });
  const refused = await project.apply();
  expect(refused.exit).toBe('refused');
  expect((await project.apply('--allow', 'drop-stream:s/far')).exit).toBe('ok');
  const purger = await purging(source, plan);
  await purgeAll(purger);
  await purger.close();
  expect(await kept(source)).toBe(0);
});

test('sarrio pause rests in the database: every runner honours it, status says it, resume goes on', LONG, async () => {
  const { source, near, far, project } = await stage();
  const verb = (...args: readonly string[]) => sarrio([...args, '--generated', project.dir], { env: project.env });
  const running = follow(project);
  await waitUntil('both streams run', () => running.events.filter(({ kind }) => kind === 'caught-up').length === 2);
  expect((await verb('pause', '--sync', 'nowhere')).exitCode).toBe(4);
  expect((await verb('pause', '--sync', 's')).stdout).toMatch(/is paused/);
  expect((await verb('pause', '--sync', 's')).stdout).toMatch(/was paused already/);
  await waitUntil('the running one rests', () => running.events.filter((event) => event.kind === 'stream' && event.state === 'paused').length === 2);
  await source.query('update t set v = 5');
  const other = await verb('run', '--until-caught-up');
  expect(other.exitCode).toBe(3);
  expect(other.stderr).toMatch(/SAR612: database source: sync s is paused by .* since/);
  expect(other.stderr).toContain('sarrio resume --sync s');
  const status = await verb('status', '--json');
  expect(JSON.parse(status.stdout)).toMatchObject({ data: { streams: [{ state: 'paused', pending: 1000 }, { state: 'paused' }] } });
  expect(await near.query('select from t where v = 5')).toEqual([]);
  expect((await verb('resume', '--sync', 's')).stdout).toMatch(/goes on/);
  await waitUntil(
    'both have it',
    async () => (await near.query('select from t where v = 5')).length + (await far.query('select from t where v = 5')).length === 2000,
  );
  await running.stop();
});

const QUEUED = `from pg_locks where not granted and mode = 'AccessExclusiveLock' and database = (select oid from pg_database where datname = current_database())`;

describe('purging beside others', () => {
  test('a transaction that keeps the segments locked is waited for once, and stalls neither triggers nor rounds', LONG, async () => {
    const { source, near, project, purger } = await stage();
    const dump = await source.connect();
    await dump.query('begin isolation level repeatable read; lock table sarrio.delta_public_t in access share mode');
    await source.query('update t set v = 1');
    await purger.once();
    await source.query('update t set v = 2');
    await catchUp(project);
    const waiting = await source.connect();
    expect(await kept(source)).toBeGreaterThan(0);
    for (let turn = 0; turn < 4; turn += 1) await purger.once();
    expect(purger.events).toEqual([]);
    // Every later pass saw the same transaction there and did not even ask for the lock.
    expect(purger.memory.outlasting.size).toBe(1);
    const current = Number((await source.query('select pg_sequence_last_value($1::regclass)::int as n', ['sarrio.current_public_t']))[0]?.['n'] ?? 1);
    // Worse than purging ever is: somebody queues for ever behind the dump. Writers of all kinds go by.
    const queued = waiting.query(`begin; lock table sarrio.segment${(current % 3) + 1}_public_t in access exclusive mode`).catch((error: Error) => error);
    await waitUntil('it waits', async () => (await source.query(`select ${QUEUED}`)).length > 0);
    await source.script(`set statement_timeout = '20s'; insert into t values (5000, 1); update t set v = 3 where id < 10; delete from t where id = 11;
      insert into t select g, 1 from generate_series(20000, 35000) g; update t set id = id + 1000000 where id = 12; begin; truncate t; rollback;`);
    await source.query(`select pg_cancel_backend(pid) ${QUEUED}`);
    expect(await queued).toBeInstanceOf(Error);
    await waiting.end();
    await catchUp(project);
    expect(await differingRows(source, near, 'public.t')).toEqual([]);
    await dump.query('commit');
    await dump.end();
    await purgeAll(purger);
    expect(purger.events.length).toBeGreaterThan(0);
    expect(purger.memory.outlasting.size).toBe(0);
  });

  test('a reader with an old snapshot, and a transaction that wrote elsewhere, hold nothing', LONG, async () => {
    const { source, project, purger } = await stage();
    const [reader, writer] = [await source.connect(), await source.connect()];
    await reader.query('begin isolation level repeatable read; select count(*) from t');
    await writer.query('create temporary table elsewhere (a int); begin; insert into elsewhere values (1); select pg_current_xact_id()');
    for (let turn = 1; turn <= 3; turn += 1) {
      await source.query('update t set v = $1', [turn]);
      await purger.once();
      await catchUp(project);
      await purger.once();
    }
    await purgeAll(purger);
    expect(await kept(source)).toBe(0);
    await reader.end();
    await writer.end();
  });
});
