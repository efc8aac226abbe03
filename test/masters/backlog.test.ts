import { expect, onTestFinished, test } from 'vitest';
import { flowsOf } from '../../src/plan/flows.ts';
import { newBacklogWatch, watchBacklog } from '../../src/runner/8-round/backlog.ts';
import { openSource } from '../../src/runner/8-round/source.ts';
import { systemClock } from '../../src/runner/clock.ts';
import type { RunnerEvent } from '../../src/runner/events.ts';
import { noFailpoint } from '../../src/runner/failpoint.ts';
import { connect } from '../../src/runner/postgres/session.ts';
import { sarrio } from '../support/cli.ts';
import type { TestDatabase } from '../support/database.ts';
import { catchUp, follow } from '../support/follow.ts';
import type { Installation } from '../support/installation.ts';
import { at, expectAlike, masters } from '../support/masters.ts';
import { purging } from '../support/purging.ts';
import { waitUntil } from '../support/wait.ts';

const T = 'create table t (id integer primary key, v text);';

/** Looks at the budgets in one member, without the grace that a runner gives. */
async function watching(database: TestDatabase, name: string, project: Installation) {
  const { plan } = await project.generated();
  const open = () => connect({ database: name, url: database.url, variable: 'URL', role: 'source' });
  const sync = plan.syncs['m'];
  const flow = sync && flowsOf(sync).find(({ source }) => source === name);
  if (flow === undefined) throw new Error('no flow');
  const [session, opened] = [await open(), await openSource({ name, sync: flow, connect: open, clock: systemClock, failpoint: noFailpoint })];
  onTestFinished(() => session.close());
  onTestFinished(() => opened.close());
  const events: RunnerEvent[] = [];
  const log = (event: RunnerEvent): void => void events.push(event);
  const watch = newBacklogWatch();
  const purger = await purging(database, plan, name);
  onTestFinished(() => purger.close());
  return {
    events,
    once: () => watchBacklog({ database: name, plan, session, history: opened.history, log, clock: systemClock, watch, graceMs: 0 }),
    purge: async () => {
      for (let turn = 0; turn < 4; turn += 1) await purger.once();
    },
  };
}

const kept = async (database: TestDatabase): Promise<number> =>
  Number((await database.query('select count(*)::int as n from sarrio.delta_public_t'))[0]?.['n']);

const isRunnerAt = async (database: TestDatabase): Promise<boolean> =>
  (await database.query("select from pg_stat_activity where datname = current_database() and application_name = 'sarrio target' and state = 'idle'")).length >
  0;

test('a member that stays away beyond the budget is detached, the others go on, and sarrio copy brings it back', { timeout: 120_000 }, async () => {
  const { members, project } = await masters(T, {
    count: 3,
    sync: { maxBacklog: { rows: 2_000 } },
    seed: "insert into t select g, 'first' from generate_series(1, 100) g",
  });
  const [east, west, north] = [at(members, 0), at(members, 1), at(members, 2)];
  const watcher = await watching(east, 'east', project);
  const run = (...args: string[]) => sarrio([...args, '--generated', project.dir], { env: project.env });
  const without: Installation = { ...project, env: { ...project.env, NORTH_URL: 'postgres://nobody@127.0.0.1:1/away' } };
  const goesOn = async (where: Installation, change: string, done: string): Promise<void> => {
    const running = follow(where);
    await east.script(change);
    await waitUntil('the other master has it', async () => (await west.query(done)).length > 0, { timeoutMs: 30_000 });
    await waitUntil('it is acknowledged', async () => {
      const [mark] = await west.query<{ position: string }>("select position from sarrio.watermark where source = 'east'");
      return (await east.query("select from sarrio.acknowledged where target = 'west' and position = $1", [mark?.position])).length === 1;
    });
    await waitUntil('the one that is away is missed', () => running.events.some((event) => event.kind === 'members-retry' && event.members.includes('north')));
    await running.stop();
  };

  await goesOn(without, "insert into t select g, 'some' from generate_series(101, 1800) g", 'select from t where id = 1800');
  await watcher.once();
  expect(watcher.events).toMatchObject([{ kind: 'backlog', stream: { source: 'east', target: 'north' } }]);
  await goesOn(without, "insert into t select g, 'many' from generate_series(2001, 4000) g", 'select from t where id = 4000');
  await watcher.once();
  expect(watcher.events.slice(1)).toMatchObject([{ kind: 'detached', stream: { source: 'east', target: 'north' } }]);

  await north.script("update t set v = 'nobody heard of it' where id = 1; insert into t values (-1, 'nor of this')");
  const refused = await run('run', '--until-caught-up');
  expect(refused.exitCode).toBe(3);
  expect(refused.stderr).toMatch(/SAR613: database north: it takes no part in sync m: detached at east since .*maxBacklog is 2000 changes/);
  // The one that knows of it comes last: the others let nobody in before it was asked.
  const late = await east.connect();
  onTestFinished(() => late.end());
  await late.query('begin; lock table sarrio.installed in access exclusive mode');
  const running = follow(project);
  for (const member of [west, north]) await waitUntil('the runner is there', () => isRunnerAt(member));
  await late.query('commit');
  await waitUntil('it is said why', () =>
    running.events.some((event) => event.kind === 'stream' && event.stream.target === 'north' && event.state === 'failed'),
  );
  await east.script("update t set v = 'without north' where id = 2");
  await waitUntil('the others go on', async () => (await west.query("select from t where v = 'without north'")).length > 0);
  expect(await north.query("select from t where v = 'without north'")).toEqual([]);
  await waitUntil('the detached one holds nothing back', async () => {
    await watcher.purge();
    return (await kept(east)) === 0;
  });
  const status = await run('status', '--json');
  expect(JSON.parse(status.stdout)).toMatchObject({ diagnostics: expect.arrayContaining([expect.objectContaining({ code: 'SAR613' })]) });

  const copied = await run('copy', '--sync', 'm', '--target', 'north', '--replace');
  expect(copied.exitCode).toBe(0);
  expect(copied.stdout).toContain('2 changes that were made at north have not reached all others');
  await waitUntil('it is copied anew', async () => (await north.query("select from t where v = 'without north'")).length > 0, { timeoutMs: 30_000 });
  await running.stop();
  await catchUp(project);
  await expectAlike(members, ['public.t']);
  expect(await north.query("select from t where id in (-1) or v = 'nobody heard of it'")).toEqual([]);
});
