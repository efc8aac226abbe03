import { inspect, parseArgs } from 'node:util';
import { buildOnce } from '../support/build.ts';
import { pause } from '../support/wait.ts';
import { chanceFrom, faultsOn, pick } from './faults.ts';
import { type MasterCount, masters } from './masters.ts';
import { oneWay } from './one-way.ts';
import type { Outcome, Play } from './play.ts';
import type { Stage } from './stage.ts';
import { SESSIONS } from './texts.sql.ts';

const KILLS_PER_MINUTE = 50;
const KILLS_IN_A_ROW = 10;

const USAGE = `npm run soak -- [--masters [--members 3]] [--minutes 20] [--kills 1000] [--seed N]
  --masters  masters and a one-way replica of one of them; without it, one stream between two servers
  --members  how many masters, 2 or 3
  --minutes  how long writers write and things are killed
  --kills    how many things to kill in that time; ${KILLS_PER_MINUTE} a minute by default
  --seed     chooses what is killed and what is written; printed, so that a run can be repeated as far as chance in the servers allows
`;

/** `members` is null for one stream. */
type Options = { readonly members: MasterCount | null; readonly minutes: number; readonly kills: number; readonly seed: number };

// After a fault writers are still at work, and would try servers that are gone for ever.
process.exit(await main());

async function main(): Promise<number> {
  const options = readOptions();
  if (options === null) {
    process.stderr.write(USAGE);
    return 4;
  }
  const alone = failureAlone();
  await buildOnce();
  const play = await (options.members === null ? oneWay() : masters(options.members));
  try {
    return await Promise.race([soak(play, options), alone]);
  } catch (error) {
    const fault = `FAULT: ${inspect(error)}`;
    say(fault);
    await sayProgress(play, 'at the end').catch((failed: unknown) => say(`where it stands could not be told: ${String(failed)}`));
    for (const runner of play.stage.runners) say(runner.said().split('\n').slice(-60).join('\n'));
    say(`\n${fault}`);
    return 1;
  } finally {
    for (const runner of play.stage.runners) await runner.stop();
    await play.stage.dispose();
  }
}

/** A writer or an observer that fails while nobody waits for it is a fault like any other. What they say after the first one, of servers that are taken away, is none. */
function failureAlone(): Promise<never> {
  return new Promise((_, reject) => {
    process.on('unhandledRejection', reject);
  });
}

/** Null when they make no sense, or when help is wanted. */
function readOptions(): Options | null {
  const { values } = parseArgs({
    options: {
      masters: { type: 'boolean', default: false },
      members: { type: 'string', default: '3' },
      minutes: { type: 'string', default: '20' },
      kills: { type: 'string' },
      seed: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  const minutes = Number(values.minutes);
  const kills = Number(values.kills ?? Math.round(minutes * KILLS_PER_MINUTE));
  const seed = Number(values.seed ?? Math.floor(Math.random() * 1_000_000));
  const members = values.members === '2' ? 2 : values.members === '3' ? 3 : null;
  const isClear = !values.help && minutes > 0 && kills > 0 && Number.isInteger(seed) && members !== null;
  return isClear ? { members: values.masters ? members : null, minutes, kills, seed } : null;
}

async function soak(play: Play, options: Options): Promise<number> {
  say(`soak: ${options.members === null ? '' : `${options.members} masters, `}${options.minutes} minutes, ${options.kills} kills, seed ${options.seed}`);
  const acting = play.begin(options.seed);
  const struck = await strikeAll(play, options);
  await play.quiet();
  const { left, lines } = await acting.end();
  const starts = play.stage.runners.reduce((sum, runner) => sum + runner.starts(), 0);
  report(play, struck, { left, lines: [...lines, `runners started: ${starts}; errors they told: ${tally(play.stage)}`] });
  return left.length === 0 ? 0 : 1;
}

/** Evenly over the time, as many as fit into it. */
async function strikeAll(play: Play, { minutes, kills, seed }: Options): Promise<ReadonlyMap<string, number>> {
  const { stage } = play;
  const [chance, faults] = [chanceFrom(seed), faultsOn(stage)];
  const struck = new Map<string, number>();
  const [started, total] = [performance.now(), minutes * 60_000];
  for (let number = 1; number <= kills && performance.now() - started < total; number += 1) {
    const fault = pick(faults, chance);
    await fault.strike(stage, chance).catch((error: unknown) => {
      throw new Error(`${fault.name} (number ${number}) failed`, { cause: error });
    });
    struck.set(fault.name, (struck.get(fault.name) ?? 0) + 1);
    if (number % KILLS_PER_MINUTE === 0) await sayProgress(play, `${number} kills`);
    // A round that is killed again and again never ends, however right it is.
    if (number % KILLS_IN_A_ROW === 0) await play.quiet();
    await pause(Math.max(0, (number / kills) * total - (performance.now() - started)));
  }
  return struck;
}

/** Where it stands, and what the runners said last: enough to see what something that stands still waits for. */
async function sayProgress({ stage, progress }: Play, when: string): Promise<void> {
  say(`${when}; ${await progress()}`);
  for (const runner of stage.runners) say(`  runner: ${runner.current().stderr().trim().split('\n').slice(-1)[0] ?? ''}`);
  for (const [name, { database }] of Object.entries(stage.sides)) {
    const rows = await database.query(SESSIONS).then(
      (found) => found.map((row) => JSON.stringify(row)).join(' '),
      (error: unknown) => String(error),
    );
    say(`  ${name}: ${rows}`);
  }
}

/** Error texts by how often they came, numbers taken out. */
function tally(stage: Stage): string {
  const counts = new Map<string, number>();
  for (const line of stage.runners.flatMap((runner) => runner.said().split('\n'))) {
    const error = /(?:\w+ -> \w+|^\w+: [\w, ]+): (?!\d|running|connecting|standby|copying|stopped|caught|copied|initial)(.*)/
      .exec(line)?.[1]
      ?.replaceAll(/\d+/g, 'N');
    if (error) counts.set(error, (counts.get(error) ?? 0) + 1);
  }
  return [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([text, count]) => `\n  ${count} x ${text.slice(0, 160)}`)
    .join('');
}

function report({ moral }: Play, struck: ReadonlyMap<string, number>, { left, lines }: Outcome): void {
  const total = [...struck.values()].reduce((sum, count) => sum + count, 0);
  say(`\nkills: ${total}`);
  for (const [name, count] of [...struck].sort(([a], [b]) => (a < b ? -1 : 1))) say(`  ${String(count).padStart(4)}  ${name}`);
  for (const line of lines) say(line);
  for (const fault of left) say(`FAULT: ${fault}`);
  say(left.length === 0 ? moral : `${left.length} faults`);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
