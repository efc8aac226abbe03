import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Compared, differingRows } from '../test/support/compare.ts';
import { sarrio, startSarrio } from '../test/support/cli.ts';
import { root } from '../test/support/build.ts';
import { openDatabase, type TestDatabase } from '../test/support/database.ts';
import { startServer, type TestServer } from '../test/support/server.ts';
import { waitUntil } from '../test/support/wait.ts';
import { board, conflictsText } from './board.ts';
import { addColumn, nightlyCopy } from './changes.ts';
import { COPIED, COUNTS, NIGHTLY, numbersFrom, REPORTED, STOCK, TABLES } from './compared.sql.ts';
import { startTraffic } from './traffic.ts';

const CONFIG = join(root, 'replication.config.ts');
const PHASE_MS = 8_000;
const EXPOSED = ['shop', 'reporting'].map((sync) => `expose-column:${sync}/public.products.weight_grams`);

type Shop = { readonly east: TestDatabase; readonly west: TestDatabase; readonly reporting: TestDatabase };

process.exitCode = await main(process.argv.includes('--keep'));

async function main(keep: boolean): Promise<number> {
  const servers = [await startServer(), await startServer()];
  const dir = await mkdtemp(join(root, 'tmp-demo-'));
  try {
    return await show(servers, dir, keep);
  } finally {
    await Promise.all(servers.map((server) => server.dispose()));
    await rm(dir, { recursive: true, force: true });
  }
}

async function show(servers: readonly TestServer[], dir: string, keep: boolean): Promise<number> {
  say('Two embedded PostgreSQL servers, three databases: east <-> west, both take writes, and east -> reporting');
  const urls = await makeShop(servers);
  const env = { EAST_URL: urls.east, WEST_URL: urls.west, REPORTING_URL: urls.reporting };
  const databases: Shop = { east: openDatabase(urls.east), west: openDatabase(urls.west), reporting: openDatabase(urls.reporting) };
  const show = (forMs: number): Promise<void> => board({ dir, env, forMs, shop: databases.east });
  await prepare(dir, env);
  say('run: initial copy of east to west and to reporting, while clients write at east');
  let runner = startSarrio(['run', '--generated', dir], { env });
  const traffic = [startTraffic(databases.east, 0)];
  await show(4_000);
  await waitUntil('west has been copied', async () => (await databases.west.query(COPIED))[0]?.['n'] === TABLES.length, { timeoutMs: 60_000 });
  say('west sells too, from now on: the same products and customers are changed on both sides');
  traffic.push(startTraffic(databases.west, 1));
  await show(PHASE_MS);
  say('kill -9 of the runner, in the middle of it');
  await runner.kill();
  await show(4_000);
  say('run again: it catches up alone');
  runner = startSarrio(['run', '--generated', dir], { env });
  await show(PHASE_MS);
  say('the nightly copy of a view, asked for now: readers of the old table never wait, and never see it empty');
  const payments = await nightlyCopy(databases, () => step(['kick', '--sync', 'nightly', '--generated', dir], env));
  say(`${payments.toLocaleString('en-US')} payments in it; now a new column for products, in three databases, while everybody sells`);
  await addColumn(databases, async () => {
    for (const verb of ['pull', 'compile']) await step([verb, '--config', CONFIG, '--generated', dir], env);
    say('a column that newly leaves a database is approved by its name, in the config or here');
    await step(['apply', ...EXPOSED.flatMap((hazard) => ['--allow', hazard]), '--generated', dir], env);
  });
  say('the runner has taken the new plan by itself, and what west wrote into the column is everywhere');
  await show(4_000);
  const transactions = (await Promise.all(traffic.map((each) => each.stop()))).reduce((sum, each) => sum + each, 0);
  if (keep) await keepRunning(env);
  await runner.stop();
  await step(['run', '--until-caught-up', '--generated', dir], env);
  await step(['run', '--once', '--sync', 'nightly', '--generated', dir], env);
  say('the record of conflicts: sarrio conflicts list --limit 4');
  await list(['conflicts', 'list', '--limit', '4', '--generated', dir], env);
  const conflicts = await conflictsText(databases.east);
  const isEqual = await compare(databases);
  await Promise.all(Object.values(databases).map((database) => database.close()));
  say(
    `${transactions.toLocaleString('en-US')} transactions on two masters, one kill -9, a nightly copy, a new column, ${conflicts}: ${isEqual ? 'ALL ROWS EQUAL in all three databases' : 'ROWS DIFFER'}`,
  );
  return isEqual ? 0 : 1;
}

async function makeShop([one, two]: readonly TestServer[]): Promise<Record<'east' | 'west' | 'reporting', string>> {
  if (!one || !two) throw new Error('two servers are needed');
  const sql = (name: string): Promise<string> => readFile(join(root, 'examples', 'shop', name), 'utf8');
  const [schema, changes, seed] = [await sql('schema.sql'), await sql('targets.sql'), await sql('seed.sql')];
  await make(one, 'east', [schema, seed, numbersFrom(100_001)]);
  await make(two, 'west', [schema, numbersFrom(100_002)]);
  await make(two, 'reporting', [schema, changes]);
  return { east: one.url('east'), west: two.url('west'), reporting: two.url('reporting') };
}

async function make(server: TestServer, name: string, scripts: readonly string[]): Promise<void> {
  const database = await server.createDatabase(name);
  for (const script of scripts) await database.script(script);
  await database.close();
}

/** pull, compile, plan, apply; what was compiled must be what is committed. */
async function prepare(dir: string, env: Record<string, string>): Promise<void> {
  for (const verb of ['pull', 'compile']) await step([verb, '--config', CONFIG, '--generated', dir], env);
  const [made, committed] = await Promise.all([dir, join(root, 'generated')].map((folder) => readFile(join(folder, 'plan.yaml'), 'utf8')));
  if (made !== committed) throw new Error('the committed generated/plan.yaml is not what the shop compiles to: run pull and compile against it');
  say('compiled: byte for byte the committed generated/, which was reviewed');
  for (const verb of ['plan', 'apply']) await step([verb, '--generated', dir], env);
}

async function step(args: readonly string[], env: Record<string, string>): Promise<void> {
  const shown = args.filter((arg, index) => !['--generated', '--config'].includes(arg) && !['--generated', '--config'].includes(args[index - 1] ?? ''));
  say(`sarrio ${shown.join(' ')}`);
  const { exitCode, stdout, stderr } = await sarrio(args, { env });
  if (exitCode !== 0) throw new Error(`sarrio ${args.join(' ')} ended with ${exitCode}:\n${stderr}${stdout}`);
  const lines = stdout.trim().split('\n').filter(Boolean);
  for (const line of new Set([...lines.slice(0, 1), ...lines.slice(-1)])) process.stdout.write(`   ${line}\n`);
}

async function list(args: readonly string[], env: Record<string, string>): Promise<void> {
  const { stdout } = await sarrio(args, { env });
  process.stdout.write(stdout.trimEnd().replaceAll(/^/gm, '   '));
  process.stdout.write('\n');
}

async function compare({ east, west, reporting }: Shop): Promise<boolean> {
  const isWest = await compareWith(east, west, TABLES);
  const isReporting = await compareWith(east, reporting, [...REPORTED, NIGHTLY]);
  const isStock = await stockAddsUp(east);
  return isWest && isReporting && isStock;
}

/** Nothing that was sold on either side is missing in the stock, or was taken out of it twice. */
async function stockAddsUp(east: TestDatabase): Promise<boolean> {
  const { stock = 0, sold = 0, began = 0 } = (await east.query<{ stock: number; sold: number; began: number }>(STOCK))[0] ?? {};
  const isRight = stock + sold === began;
  const numbers = [began, sold, stock].map((number) => number.toLocaleString('en-US'));
  process.stdout.write(`   stock      ${numbers[0]} at first, less ${numbers[1]} sold on both sides, is ${numbers[2]}: ${isRight ? 'right' : 'WRONG'}\n`);
  return isRight;
}

async function compareWith(east: TestDatabase, other: TestDatabase, tables: readonly Compared[]): Promise<boolean> {
  let isEqual = true;
  for (const table of tables) {
    const name = typeof table === 'string' ? table : table.source;
    const different = await differingRows(east, other, table);
    const rows = (await other.query<{ n: string }>(COUNTS(name)))[0]?.n ?? '?';
    process.stdout.write(
      `   ${other.name.padEnd(10)} ${name.padEnd(20)} ${Number(rows).toLocaleString('en-US').padStart(9)} rows  ${different.length === 0 ? 'equal' : 'DIFFERENT'}\n`,
    );
    for (const line of different.slice(0, 3)) process.stdout.write(`     ${line}\n`);
    isEqual &&= different.length === 0;
  }
  return isEqual;
}

/** Until Ctrl-C. */
async function keepRunning(env: Record<string, string>): Promise<void> {
  say('left running; Ctrl-C ends it');
  for (const [name, url] of Object.entries(env)) process.stdout.write(`   export ${name}=${url}\n`);
  process.stdout.write('   try: change one product at east and at west within a moment, then: node dist/cli.js conflicts list; node dist/cli.js status\n');
  await new Promise<void>((resolve) => void process.once('SIGINT', () => resolve()));
}

function say(text: string): void {
  process.stdout.write(`\n== ${text}\n`);
}
