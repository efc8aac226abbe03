import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildOnce } from '../support/build.ts';
import { sarrio, startSarrio } from '../support/cli.ts';
import type { TestDatabase } from '../support/database.ts';
import { startServer, type TestServer } from '../support/server.ts';
import { share } from '../support/share.ts';
import { unless } from '../support/binaries.ts';
import { waitUntil } from '../support/wait.ts';

/** With characters that travel encoded, so that both spellings are looked for. */
const CANARY = 'canary/in a+mine';
const SPELLINGS = [CANARY, encodeURIComponent(CANARY), 'canary', 'in%20a', 'in a+mine'];

const SLOW_MS = 300_000;

const CONFIG = `import { defineReplication, env } from 'sarrio';
export default defineReplication({
  databases: { east: env('EAST_URL'), west: env('WEST_URL') },
  syncs: { notes: { mode: 'one-way', source: 'east', targets: ['west'], tables: ['public.notes'] } },
});
`;

let folder: string;
let server: TestServer;
let east: TestDatabase;
let west: TestDatabase;

beforeAll(async () => {
  await buildOnce();
  folder = await mkdtemp(join(tmpdir(), 'sarrio-secrets-'));
  await writeFile(join(folder, 'replication.config.ts'), CONFIG);
  // Every statement goes to the server's log, so that nothing can hide in one that was too quick for pg_stat_activity.
  server = await startServer({ durable: false, flags: ['-c', 'log_statement=all', '-c', 'log_connections=on', '-c', 'logging_collector=off'] });
  [east, west] = [await server.createDatabase('east'), await server.createDatabase('west')];
  for (const database of [east, west]) await database.script('create table notes (id integer primary key, body text)');
  await east.script(`create role keeper login superuser password '${'x'.repeat(8)}'`);
});

afterAll(async () => {
  await Promise.all([east?.close(), west?.close()]);
  await server?.dispose();
  await rm(folder, { recursive: true, force: true });
});

type Urls = { readonly EAST_URL: string; readonly WEST_URL: string };

function urls(changes: Partial<Urls> = {}): Urls {
  const url = (database: string): string => server.url(database).replace('postgres@', `keeper:${encodeURIComponent(CANARY)}@`);
  return { EAST_URL: url('east'), WEST_URL: url('west'), ...changes };
}

/** Everything that one could read of a run, in one text; each part must be there at all. */
async function leaks(text: string): Promise<readonly string[]> {
  return SPELLINGS.filter((spelling) => text.includes(spelling));
}

async function call(args: readonly string[], changes: Partial<Urls> = {}, env: Readonly<Record<string, string>> = {}): Promise<number> {
  const { exitCode, stdout, stderr } = await sarrio(args, { cwd: folder, env: { SARRIO_DEBUG: '1', ...urls(changes), ...env } });
  expect(await leaks(`${stdout}${stderr}`), `${args.join(' ')}:\n${stdout}${stderr}`).toEqual([]);
  return exitCode;
}

const VERBS: readonly (readonly string[])[] = [
  ['pull'],
  ['plan'],
  ['apply'],
  ['run', '--once'],
  ['run', '--once', '--log', 'json'],
  ['status'],
  ['copy', '--sync', 'notes', '--target', 'west'],
  ['destroy', '--confirm', 'sarrio'],
];

test(
  'no verb lets a password out, when all goes well',
  async () => {
    for (const args of [
      ['pull'],
      ['compile'],
      ['compile', '--check'],
      ['plan', '--verbose'],
      ['apply'],
      ['run', '--until-caught-up'],
      ['status'],
      ['status', '--json'],
      ['plan', '--json'],
    ]) {
      expect(await call(args), args.join(' ')).toBe(0);
    }
    expect(await call(['copy', '--sync', 'notes', '--target', 'west', '--replace'])).toBe(0);
    const running = startSarrio(['run', '--log', 'json'], { cwd: folder, env: urls() });
    await running.waitFor(/caught-up/);
    await east.script("insert into notes values (1, 'x')");
    await waitUntil('the row is there', async () => (await west.query('select from notes')).length === 1);
    const sessions = await east.query(
      "select concat_ws(' ', application_name, query, usename) as line from pg_stat_activity where application_name like 'sarrio%'",
    );
    expect(sessions.length).toBeGreaterThan(2);
    const arguments_ = await readFile(`/proc/${running.pid}/cmdline`, 'utf8').catch(unless('ENOENT'));
    const processes = (await execa('ps', ['ax', '-o', 'pid=,args='], { reject: false })).stdout;
    expect(await leaks(JSON.stringify(sessions) + (arguments_ ?? '') + processes)).toEqual([]);
    const { stdout, stderr } = await running.stop();
    expect(await leaks(stdout + stderr)).toEqual([]);
    const rows = await east.query("select concat_ws(' ', runner, last_error, state) as line from sarrio.stream");
    expect(rows.length).toBe(1);
    expect(await leaks(JSON.stringify(rows))).toEqual([]);
  },
  SLOW_MS,
);

test(
  'no verb lets a password out, whatever goes wrong',
  async () => {
    const failures: readonly (readonly [string, Partial<Urls>])[] = [
      ['nobody listens', { WEST_URL: urls().WEST_URL.replace(String(server.port), '1') }],
      ['no such host', { WEST_URL: urls().WEST_URL.replace('127.0.0.1', 'no-such-host.invalid') }],
      ['no such database', { WEST_URL: urls().WEST_URL.replace(/\/west$/, '/nowhere') }],
      ['no such user', { WEST_URL: urls().WEST_URL.replace('keeper', 'nobody') }],
      ['a string that is none', { WEST_URL: `host=west password=${CANARY}` }],
      ['a URL that is none', { WEST_URL: `postgres://keeper:${CANARY}@127.0.0.1/west` }],
      ['a parameter that is unknown', { WEST_URL: `${urls().WEST_URL}?${encodeURIComponent(CANARY)}=1&pass=${encodeURIComponent(CANARY)}` }],
      ['encryption that the server lacks', { WEST_URL: `${urls().WEST_URL}?sslmode=require&password=${encodeURIComponent(CANARY)}` }],
    ];
    for (const [what, changes] of share(failures, 2)) {
      for (const args of what === 'nobody listens'
        ? VERBS
        : [
            ['plan', '--json'],
            ['run', '--once'],
          ]) {
        const code = await call(args, changes);
        // The status says that a database cannot be asked, and a copy asks the source only.
        if (args[0] !== 'status' && args[0] !== 'copy') expect(code, `${what}: ${args.join(' ')}`).not.toBe(0);
      }
    }
  },
  SLOW_MS,
);

test(
  'a wrong password, and statements that fail',
  async () => {
    const hba = join(server.dataDirectory, 'pg_hba.conf');
    const before = await readFile(hba, 'utf8');
    await writeFile(hba, 'host all keeper 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n');
    await east.query('select pg_reload_conf()');
    for (const args of share(VERBS, 2)) expect(await call(args), args.join(' ')).not.toBe(args[0] === 'status' ? 1 : 0);
    await writeFile(hba, before);
    await east.query('select pg_reload_conf()');
    await west.script('alter table notes add constraint small check (id < 10)');
    await east.script("insert into notes values (100, 'too large')");
    expect(await call(['run', '--once'])).not.toBe(0);
    await east.script('drop table sarrio.stream');
    for (const args of [['status'], ['run', '--once', '--log', 'json'], ['plan']]) await call(args);
  },
  SLOW_MS,
);

test('no file of ours and no log of the server has it', async () => {
  const files = await readdir(folder, { recursive: true, withFileTypes: true });
  const texts = await Promise.all(files.filter((file) => file.isFile()).map((file) => readFile(join(file.parentPath, file.name), 'utf8')));
  expect(texts.length).toBeGreaterThan(4);
  const log = await readFile(join(server.dataDirectory, 'server.log'), 'utf8');
  expect(log).toContain('sarrio.watermark');
  expect(await leaks(texts.join('\n') + log)).toEqual([]);
});
