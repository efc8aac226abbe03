import { parseArgs } from 'node:util';
import { buildOnce } from '../support/build.ts';
import { startSampler } from '../support/sampler.ts';
import { pause, waitUntil } from '../support/wait.ts';
import { startWorkload } from '../support/workload.ts';
import { faultsLeft } from './checks.ts';
import { chanceFrom, FAULTS, pick } from './faults.ts';
import { startLagMeter } from './lag.ts';
import { buildStage, type Side, type Stage } from './stage.ts';
import { ROUNDS, SESSIONS } from './texts.sql.ts';

const KILLS_PER_MINUTE = 50;
const KILLS_IN_A_ROW = 10;

const USAGE = `npm run soak -- [--minutes 20] [--kills 1000] [--seed N]
  --minutes  how long writers write and things are killed
  --kills    how many things to kill in that time; ${KILLS_PER_MINUTE} a minute by default
  --seed     chooses what is killed; printed, so that a run can be repeated as far as chance in the servers allows
`;

type Options = { readonly minutes: number; readonly kills: number; readonly seed: number };
type Figures = { readonly struck: ReadonlyMap<string, number>; readonly lines: readonly string[] };

process.exitCode = await main();

async function main(): Promise<number> {
  const options = readOptions();
  if (options === null) {
    process.stderr.write(USAGE);
    return 4;
  }
  await buildOnce();
  const stage = await buildStage();
  try {
    return await soak(stage, options);
  } finally {
    for (const runner of stage.runners) await runner.stop();
    await stage.dispose();
  }
}

/** Null when they make no sense, or when help is wanted. */
function readOptions(): Options | null {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '20' },
      kills: { type: 'string' },
      seed: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const minutes = Number(values.minutes);
  const kills = Number(values.kills ?? Math.round(minutes * KILLS_PER_MINUTE));
  const seed = Number(values.seed ?? Math.floor(Math.random() * 1_000_000));
  return values.help || !(minutes > 0) || !(kills > 0) || !Number.isInteger(seed) ? null : { minutes, kills, seed };
}

async function soak(stage: Stage, options: Options): Promise<number> {
  say(`soak: ${options.minutes} minutes, ${options.kills} kills, seed ${options.seed}`);
  const [sampler, lag, workload] = [
    startSampler(stage.target.database),
    startLagMeter(stage),
    startWorkload(stage.source.database, { paceMs: 25, bulkRows: 40 }),
  ];
  const struck = await strikeAll(stage, options);
  await quiet(stage);
  await workload.stop();
  const lags = await lag.stop();
  const halves = await sampler.stop();
  const ends = await Promise.all(stage.runners.map((runner) => runner.stop()));
  const left = [...halves.map((half) => `half a transaction was seen: ${half}`), ...(await faultsLeft(stage))];
  const lines = [
    `rounds: ${JSON.stringify((await stage.target.database.query(ROUNDS))[0])}`,
    `looks of the sampler: ${sampler.looks()}; lag ms: median ${lags.medianMs.toFixed(0)}, longest ${lags.longestMs.toFixed(0)}`,
    `runners started: ${ends.flat().length}; errors they told: ${tally(stage)}`,
  ];
  report({ struck, lines }, left);
  return left.length === 0 ? 0 : 1;
}

/** Evenly over the time, as many as fit into it. */
async function strikeAll(stage: Stage, { minutes, kills, seed }: Options): Promise<ReadonlyMap<string, number>> {
  const chance = chanceFrom(seed);
  const struck = new Map<string, number>();
  const [started, total] = [performance.now(), minutes * 60_000];
  for (let number = 1; number <= kills && performance.now() - started < total; number += 1) {
    const fault = pick(FAULTS, chance);
    await fault.strike(stage, chance).catch((error: unknown) => {
      throw new Error(`${fault.name} (number ${number}) failed`, { cause: error });
    });
    struck.set(fault.name, (struck.get(fault.name) ?? 0) + 1);
    if (number % KILLS_PER_MINUTE === 0) await sayProgress(stage, number);
    // A round that is killed again and again never ends, however right it is.
    if (number % KILLS_IN_A_ROW === 0) await quiet(stage);
    await pause(Math.max(0, (number / kills) * total - (performance.now() - started)));
  }
  return struck;
}

/** Under writers, without faults, the target must come close again by itself. */
async function quiet(stage: Stage): Promise<void> {
  const marker = `quiet ${Math.random()}`;
  await stage.source.database.query('insert into ledger (note) values ($1)', [marker]);
  const isThere = async (): Promise<boolean> => (await stage.target.database.query('select from ledger where note = $1', [marker])).length > 0;
  await waitUntil('the target follows again', isThere, { timeoutMs: 180_000, everyMs: 100 });
}

/** Where the stream stands, and what the runners said last: enough to see what a stream that stands still waits for. */
async function sayProgress({ source, target, runners }: Stage, kills: number): Promise<void> {
  const ask = (side: Side, text: string): Promise<string> =>
    side.database.query(text).then(
      (rows) => rows.map((row) => JSON.stringify(row)).join(' '),
      (error: unknown) => String(error),
    );
  say(`${kills} kills; ${await ask(target, ROUNDS)}`);
  for (const runner of runners) say(`  runner: ${runner.current().stderr().trim().split('\n').slice(-1)[0] ?? ''}`);
  say(`  source: ${await ask(source, SESSIONS)}\n  target: ${await ask(target, SESSIONS)}`);
}

/** Error texts by how often they came, numbers taken out. */
function tally(stage: Stage): string {
  const counts = new Map<string, number>();
  for (const line of stage.runners.flatMap((runner) => runner.said().split('\n'))) {
    const error = /source -> target: (?!\d|running|connecting|standby|copying|stopped|caught|copied|initial)(.*)/.exec(line)?.[1]?.replaceAll(/\d+/g, 'N');
    if (error) counts.set(error, (counts.get(error) ?? 0) + 1);
  }
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([text, count]) => `\n  ${count} x ${text.slice(0, 160)}`)
    .join('');
}

function report({ struck, lines }: Figures, left: readonly string[]): void {
  const total = [...struck.values()].reduce((sum, count) => sum + count, 0);
  say(`\nkills: ${total}`);
  for (const [name, count] of [...struck].sort(([a], [b]) => (a < b ? -1 : 1))) say(`  ${String(count).padStart(4)}  ${name}`);
  for (const line of lines) say(line);
  for (const fault of left) say(`FAULT: ${fault}`);
  say(left.length === 0 ? 'all rows equal, every line applied once, no half transaction seen, nothing left behind' : `${left.length} faults`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
