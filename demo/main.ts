import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { differingRows } from '../test/support/compare.ts';
import { sarrio, startSarrio } from '../test/support/cli.ts';
import { root } from '../test/support/build.ts';
import { openDatabase, type TestDatabase } from '../test/support/database.ts';
import { startServer, type TestServer } from '../test/support/server.ts';
import { board } from './board.ts';
import { COMPARED, COUNTS } from './compared.sql.ts';
import { startTraffic } from './traffic.ts';

const CONFIG = join(root, 'replication.config.ts');
const PHASE_MS = 12_000;

type Shop = { readonly shop: TestDatabase; readonly reporting: TestDatabase; readonly archive: TestDatabase };

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
  say('Two embedded PostgreSQL servers, three databases: shop -> reporting, archive');
  const urls = await makeShop(servers);
  const env = { SHOP_URL: urls.shop, REPORTING_URL: urls.reporting, ARCHIVE_URL: urls.archive };
  const databases: Shop = { shop: openDatabase(urls.shop), reporting: openDatabase(urls.reporting), archive: openDatabase(urls.archive) };
  await prepare(dir, env);
  say('run: initial copy, then live traffic from four clients');
  let runner = startSarrio(['run', '--generated', dir], { env });
  const traffic = startTraffic(databases.shop);
  await board({ dir, env, forMs: PHASE_MS });
  say('kill -9 of the runner, in the middle of it');
  await runner.kill();
  await board({ dir, env, forMs: 4_000 });
  say('run again: it catches up alone');
  runner = startSarrio(['run', '--generated', dir], { env });
  await board({ dir, env, forMs: PHASE_MS });
  const transactions = await traffic.stop();
  if (keep) await keepRunning(env);
  await runner.stop();
  await step(['run', '--until-caught-up', '--generated', dir], env);
  const isEqual = await compare(databases);
  await Promise.all(Object.values(databases).map((database) => database.close()));
  say(`${transactions.toLocaleString('en-US')} transactions at the source, one kill -9: ${isEqual ? 'ALL ROWS EQUAL on both targets' : 'ROWS DIFFER'}`);
  return isEqual ? 0 : 1;
}

async function makeShop([source, targets]: readonly TestServer[]): Promise<Record<'shop' | 'reporting' | 'archive', string>> {
  if (!source || !targets) throw new Error('two servers are needed');
  const sql = (name: string): Promise<string> => readFile(join(root, 'examples', 'shop', name), 'utf8');
  const [schema, changes, seed] = [await sql('schema.sql'), await sql('targets.sql'), await sql('seed.sql')];
  const shop = await source.createDatabase('shop');
  await shop.script(schema);
  await shop.script(seed);
  await shop.close();
  for (const name of ['reporting', 'archive']) {
    const target = await targets.createDatabase(name);
    await target.script(schema);
    await target.script(changes);
    await target.close();
  }
  return { shop: source.url('shop'), reporting: targets.url('reporting'), archive: targets.url('archive') };
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
  say(`sarrio ${args[0]}${args.includes('--until-caught-up') ? ' --until-caught-up' : ''}`);
  const { exitCode, stdout, stderr } = await sarrio(args, { env });
  if (exitCode !== 0) throw new Error(`sarrio ${args.join(' ')} ended with ${exitCode}:\n${stderr}${stdout}`);
  const lines = stdout.trim().split('\n').filter(Boolean);
  for (const line of lines.slice(0, 1).concat(lines.slice(-1))) process.stdout.write(`   ${line}\n`);
}

async function compare({ shop, reporting, archive }: Shop): Promise<boolean> {
  let isEqual = true;
  for (const target of [reporting, archive]) {
    for (const table of COMPARED) {
      const name = typeof table === 'string' ? table : table.source;
      const different = await differingRows(shop, target, table);
      const rows = (await target.query<{ n: string }>(COUNTS(name)))[0]?.n ?? '?';
      process.stdout.write(
        `   ${target.name.padEnd(10)} ${name.padEnd(20)} ${Number(rows).toLocaleString('en-US').padStart(9)} rows  ${different.length === 0 ? 'equal' : 'DIFFERENT'}\n`,
      );
      for (const line of different.slice(0, 3)) process.stdout.write(`     ${line}\n`);
      isEqual &&= different.length === 0;
    }
  }
  return isEqual;
}

/** Until Ctrl-C. */
async function keepRunning(env: Record<string, string>): Promise<void> {
  say('left running; Ctrl-C ends it');
  for (const [name, url] of Object.entries(env)) process.stdout.write(`   export ${name}=${url}\n`);
  process.stdout.write('   try: insert a row into orders of the shop and look for it in reporting; truncate reviews; node dist/cli.js status\n');
  await new Promise<void>((resolve) => void process.once('SIGINT', () => resolve()));
}

function say(text: string): void {
  process.stdout.write(`\n== ${text}\n`);
}
