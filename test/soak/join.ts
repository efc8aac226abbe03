import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildOnce } from '../support/build.ts';
import { sarrio, startSarrio } from '../support/cli.ts';
import { differingRows } from '../support/compare.ts';
import type { TestDatabase } from '../support/database.ts';
import { startServer } from '../support/server.ts';
import { pause, waitUntil } from '../support/wait.ts';
import { BIG, BLOCKED_BY_US, CHANGES, configWith, fillBig, RANGES_DONE } from './join.sql.ts';

const USAGE = `npm run soak:join -- [--rows 5000000] [--writes 500] [--kills 3]
  A large table joins a running sync under writes, with the runner killed on the way.
  --rows    rows of the large table, of about 120 bytes
  --writes  writes a second, to the large table and to the one that is replicated already
  --kills   how often the runner is killed while it copies
`;

/** No write may wait longer for a lock of ours. */
const LONGEST_WAIT_MS = 100;

type Options = { readonly rows: number; readonly writes: number; readonly kills: number };
type Databases = { readonly source: TestDatabase; readonly target: TestDatabase };

process.exitCode = await main();

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { rows: { type: 'string' }, writes: { type: 'string' }, kills: { type: 'string' }, help: { type: 'boolean' } } });
  const options = { rows: Number(values.rows ?? 5_000_000), writes: Number(values.writes ?? 500), kills: Number(values.kills ?? 3) };
  if (values.help || !Object.values(options).every((value) => Number.isInteger(value) && value > 0)) {
    process.stderr.write(USAGE);
    return 4;
  }
  await buildOnce();
  const servers = [await startServer({ durable: false }), await startServer({ durable: false })] as const;
  const [source, target] = [await servers[0].createDatabase('soak'), await servers[1].createDatabase('soak')];
  const cwd = await mkdtemp(join(tmpdir(), 'sarrio-join-'));
  try {
    const faults = await joinTable({ source, target }, cwd, options);
    for (const fault of faults) say(`FAULT: ${fault}`);
    say(faults.length === 0 ? `no write waited longer than ${LONGEST_WAIT_MS} ms for a lock of ours, and all rows are equal` : `${faults.length} faults`);
    return faults.length === 0 ? 0 : 1;
  } finally {
    for (const database of [source, target]) await database.close();
    for (const server of servers) await server.dispose();
    await rm(cwd, { recursive: true, force: true });
  }
}

async function joinTable({ source, target }: Databases, cwd: string, { rows, writes, kills }: Options): Promise<readonly string[]> {
  const env = { SOURCE_URL: source.url, TARGET_URL: target.url };
  const succeed = async (...args: readonly string[]): Promise<void> => {
    const { exitCode, stderr } = await sarrio(args, { cwd, env });
    if (exitCode !== 0) throw new Error(`sarrio ${args.join(' ')} ended with ${exitCode}:\n${stderr}`);
  };
  for (const database of [source, target]) await database.script(BIG);
  await source.query(fillBig(rows));
  await source.query('analyze big');
  await writeFile(join(cwd, 'replication.config.ts'), configWith(['public.small'], rows));
  for (const verb of ['pull', 'compile', 'apply']) await succeed(verb);
  const before = startSarrio(['run'], { cwd, env });
  await before.waitFor(/caught up/);
  const writing = write(source, rows, writes);
  const watch = watchLocks(source);
  await writeFile(join(cwd, 'replication.config.ts'), configWith(['public.small', 'public.big'], rows));
  await succeed('compile');
  await succeed('apply');
  await before.stop();
  say(`${rows} rows join under ${writes} writes a second`);
  const started = performance.now();
  for (let kill = 1; kill <= kills; kill += 1) await copyAndKill({ source, target }, { cwd, env }, kill);
  const last = startSarrio(['run'], { cwd, env });
  await waitUntil(
    'the table is joined',
    async () => (await target.query("select from sarrio.initial_copy where relation = 'public.big' and is_joined")).length > 0,
    {
      timeoutMs: 3_600_000,
      everyMs: 200,
    },
  );
  say(`joined after ${((performance.now() - started) / 1000).toFixed(1)} s`);
  const { count, failures } = await writing.stop();
  const longest = await watch.stop();
  await last.stop();
  await succeed('run', '--until-caught-up');
  say(`${count} writes; the longest wait for a lock of ours that was seen: ${longest.toFixed(0)} ms`);
  return [
    ...failures,
    ...(longest > LONGEST_WAIT_MS ? [`a write waited ${longest.toFixed(0)} ms for a lock of ours`] : []),
    ...(await differingRows(source, target, 'public.small', 'public.big')),
  ];
}

/** Killed once one range more is there, so that the next run has something to go on from. */
async function copyAndKill({ target }: Databases, options: { cwd: string; env: Readonly<Record<string, string>> }, number: number): Promise<void> {
  const done = async (): Promise<number> => Number((await target.query(RANGES_DONE))[0]?.['done']);
  const earlier = await done();
  const running = startSarrio(['run'], options);
  await waitUntil('a range more is there', async () => (await done()) > earlier, { timeoutMs: 600_000, everyMs: 20 });
  await running.kill();
  say(`kill ${number}: ${await done()} ranges are there`);
}

/** Writes at a steady pace; what falls behind is caught up with. */
function write(source: TestDatabase, rows: number, perSecond: number): { stop(): Promise<{ count: number; failures: readonly string[] }> } {
  const state = { on: true, count: 0, failures: [] as string[] };
  const started = performance.now();
  const writer = async (): Promise<void> => {
    while (state.on) {
      const due = ((performance.now() - started) / 1000) * perSecond;
      if (state.count >= due) await pause(2);
      else {
        const statement = CHANGES[state.count % CHANGES.length] ?? '';
        state.count += 1;
        await source
          .query(statement, [1 + ((state.count * 7919) % rows)])
          .catch((error: unknown) => void state.failures.push(`a write failed: ${String(error)}`));
      }
    }
  };
  const writers = [1, 2, 3, 4].map(writer);
  return {
    stop: async () => {
      state.on = false;
      await Promise.all(writers);
      return state;
    },
  };
}

/** The longest time for which some session of the application was seen waiting behind one of ours. */
function watchLocks(source: TestDatabase): { stop(): Promise<number> } {
  const state = { on: true, longest: 0 };
  const watching = (async () => {
    while (state.on) {
      const [row] = await source.query(BLOCKED_BY_US);
      state.longest = Math.max(state.longest, Number(row?.['ms'] ?? 0));
      await pause(10);
    }
  })();
  return {
    stop: async () => {
      state.on = false;
      await watching;
      return state.longest;
    },
  };
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
