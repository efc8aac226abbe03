import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { buildOnce } from '../support/build.ts';
import { type RunningSarrio, sarrio, startSarrio } from '../support/cli.ts';
import type { TestDatabase } from '../support/database.ts';
import { COUNTING_SCHEMA, COUNTING_SEED, COUNTING_TABLES, expectCounted, startCounting } from '../support/counting-workload.ts';
import { type Installation, installation } from '../support/installation.ts';
import { ARRIVALS, MASTER_SCHEMA, MASTER_TABLES, startMasterWorkload } from '../support/master-workload.ts';
import { expectAlike } from '../support/masters.ts';
import { send } from '../support/process.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { share } from '../support/share.ts';
import { waitUntil } from '../support/wait.ts';
import { MASTER_POINTS } from '../crash/points.ts';

const NAMES = ['east', 'west', 'north'] as const;
const PATIENCE_MS = 120_000;

const stage: { servers: TestServer[] } = { servers: [] };

beforeAll(async () => {
  await buildOnce();
  const lazyLog = { flags: ['-c', 'wal_writer_delay=10s'] };
  for (const _ of NAMES) stage.servers.push(await startServer(lazyLog));
}, 180_000);

afterAll(async () => {
  for (const server of stage.servers) await server.dispose();
});

type Trio = { readonly members: Readonly<Record<string, TestDatabase>>; readonly list: readonly TestDatabase[]; readonly project: Installation };

async function trio(name: string): Promise<Trio> {
  const members: Record<string, TestDatabase> = {};
  for (const [index, member] of NAMES.entries()) {
    const database = await stage.servers[index]?.createDatabase(name);
    if (database === undefined) throw new Error('no server');
    members[member] = database;
    await database.script(MASTER_SCHEMA + COUNTING_SCHEMA);
  }
  onTestFinished(async () => {
    for (const database of Object.values(members)) await database.close();
  });
  await members[NAMES[0]]?.script(COUNTING_SEED);
  const sync = { mode: 'multi-master', members: [...NAMES], tables: [...MASTER_TABLES, ...COUNTING_TABLES], onConflict: 'last-update-wins' } as const;
  const project = await installation({ databases: members, syncs: { m: sync } });
  expect((await project.apply()).diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  for (const database of Object.values(members)) await database.script(ARRIVALS);
  const joined = await sarrio(['run', '--until-caught-up', '--generated', project.dir], { env: project.env });
  expect(joined.exitCode).toBe(0);
  return { members, list: Object.values(members), project };
}

function start({ project }: Trio, failpoint = ''): RunningSarrio {
  return startSarrio(['run', '--generated', project.dir], { env: { ...project.env, SARRIO_FAILPOINT: failpoint } });
}

/** Everything has arrived everywhere: all rows are the same, each line of the journal that was told to be committed is there, and came once. */
async function expectConverged(three: Trio, told: ReadonlyMap<string, readonly number[]>): Promise<void> {
  const { exitCode, stderr } = await sarrio(['run', '--until-caught-up', '--generated', three.project.dir], { env: three.project.env });
  expect(stderr).toContain('caught up');
  expect(exitCode).toBe(0);
  await expectAlike(three.list, [...MASTER_TABLES, 'public.receipts', 'public.counted']);
  await expectCounted(three.list);
  for (const database of three.list) {
    const twice = await database.query('select member, n from arrived group by member, n having count(*) > 1');
    expect(twice).toEqual([]);
    for (const [member, lines] of told) {
      const rows = await database.query<{ n: string }>('select n from journal where member = $1', [member]);
      const there = new Set(rows.map(({ n }) => Number(n)));
      expect(lines.filter((line) => !there.has(line))).toEqual([]);
    }
  }
}

test('a runner killed at any point of a round between three masters loses and doubles nothing', { timeout: 900_000 }, async () => {
  const three = await trio('kill');
  const workload = startMasterWorkload(three.members, { paceMs: 50 });
  const counting = startCounting(three.members);
  for (const point of share(MASTER_POINTS, 3)) {
    const running = start(three, `${point}=kill`);
    await waitUntil(`the runner is killed at ${point}`, () => running.ended.then(() => true), { timeoutMs: PATIENCE_MS });
  }
  await counting.stop();
  await expectConverged(three, await workload.stop());
});

/** One runner loses something at one point after the other: that it comes to the next shows that it went on. */
test('backends or a server lost at any point: the others go on, and it comes back by itself', { timeout: 900_000 }, async () => {
  const three = await trio('lost');
  const workload = startMasterWorkload(three.members, { paceMs: 50 });
  const counting = startCounting(three.members);
  const points = share(MASTER_POINTS, 2);
  const running = start(three, points.map((point) => `${point}=pause`).join(','));
  for (const [index, point] of points.entries()) {
    await running.waitFor(new RegExp(`failpoint ${point}$`), PATIENCE_MS);
    await lose(three, index);
    send(running.pid, 'SIGUSR2');
  }
  const before = rounds(running);
  await waitUntil('rounds of all three go on', () => rounds(running) > before + 1, { timeoutMs: PATIENCE_MS });
  expect((await running.stop()).exitCode).toBe(0);
  await counting.stop();
  await expectConverged(three, await workload.stop());
});

function rounds(running: RunningSarrio): number {
  return running.stderr().split('m: east, west, north: ').length - 1;
}

/** In turn: the backends of one member, or its whole server. */
async function lose({ list }: Trio, turn: number): Promise<void> {
  const server = stage.servers[turn % stage.servers.length];
  const database = list[turn % list.length];
  if (turn % 2 === 0) {
    await database?.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'sarrio%' and datname = current_database()");
    return;
  }
  await server?.stop('immediate');
  await server?.start();
}
