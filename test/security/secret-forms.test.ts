import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect } from '../../src/runner/postgres/session.ts';
import { buildOnce } from '../support/build.ts';
import { sarrio } from '../support/cli.ts';
import type { TestDatabase } from '../support/database.ts';
import { startServer, type TestServer } from '../support/server.ts';

const CANARY = 'canary/in a+mine';
const SPELLINGS = [CANARY, encodeURIComponent(CANARY), 'canary'];
const SLOW_MS = 120_000;

const CONFIG = `import { defineReplication, env } from 'sarrio';
export default defineReplication({
  databases: { east: env('EAST_URL'), west: env('WEST_URL') },
  syncs: { notes: { mode: 'one-way', source: 'east', targets: ['west'], tables: ['public.notes'] } },
});
`;

let folder: string;
let server: TestServer;
let databases: readonly TestDatabase[];

/** A server that believes nobody over TCP without a password. */
beforeAll(async () => {
  await buildOnce();
  folder = await mkdtemp(join(tmpdir(), 'sarrio-forms-'));
  await writeFile(join(folder, 'replication.config.ts'), CONFIG);
  server = await startServer({ durable: false });
  databases = await Promise.all(['east', 'west'].map((name) => server.createDatabase(name)));
  for (const database of databases) await database.script('create table notes (id integer primary key, body text)');
  await databases[0]?.script(`create role keeper login superuser password '${CANARY}'`);
  await writeFile(join(server.dataDirectory, 'pg_hba.conf'), 'host all keeper 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n');
  await databases[0]?.query('select pg_reload_conf()');
  await file('east.url', `${url('east')}\n`);
  await file(
    'services.conf',
    `# ours\n[other]\nhost=nowhere.invalid\n\n[west]\nhost = 127.0.0.1\nport=${server.port}\nuser=keeper\ndbname=west\npassword=${CANARY}\n`,
  );
});

afterAll(async () => {
  await Promise.all((databases ?? []).map((database) => database.close()));
  await server?.dispose();
  await rm(folder, { recursive: true, force: true });
});

const url = (database: string): string => server.url(database).replace('postgres@', `keeper:${encodeURIComponent(CANARY)}@`);

async function file(name: string, text: string, mode = 0o600): Promise<string> {
  await writeFile(join(folder, name), text, { mode });
  return join(folder, name);
}

const GOOD = (): Record<string, string> => ({
  EAST_URL_FILE: join(folder, 'east.url'),
  WEST_URL: 'postgresql:///?service=west',
  PGSERVICEFILE: join(folder, 'services.conf'),
});

type Called = { readonly code: number; readonly said: string };

async function call(args: readonly string[], env: Readonly<Record<string, string>> = GOOD()): Promise<Called> {
  const { exitCode, stdout, stderr } = await sarrio(args, { cwd: folder, env: { SARRIO_DEBUG: '1', ...env } });
  const said = `${stdout}${stderr}`;
  expect(
    SPELLINGS.filter((spelling) => said.includes(spelling)),
    `${args.join(' ')}:\n${said}`,
  ).toEqual([]);
  return { code: exitCode, said };
}

test(
  'a connection string from a file, and one from a service file, serve every verb, and nothing lets them out',
  async () => {
    for (const args of [['pull'], ['compile'], ['plan'], ['apply'], ['run', '--until-caught-up'], ['status', '--json'], ['verify'], ['diff']]) {
      const { code, said } = await call(args);
      expect(code, `${args.join(' ')}: ${said}`).toBe(0);
    }
  },
  SLOW_MS,
);

test(
  'what goes wrong with them is said, without their content',
  async () => {
    const faults: readonly (readonly [Record<string, string>, RegExp])[] = [
      [{ EAST_URL: url('east') }, /SAR436.*EAST_URL_FILE is set, and so is EAST_URL/],
      [{ EAST_URL_FILE: join(folder, 'not-there') }, /SAR436.*cannot be read: .*not-there \(ENOENT\)/],
      [{ EAST_URL_FILE: await file('empty.url', '\n') }, /SAR436.*names an empty file/],
      [{ EAST_URL_FILE: await file('bare.url', `password=${CANARY}`) }, /SAR436.*holds no connection string/],
      [{ EAST_URL_FILE: await file('wrong.url', `postgresql://keeper:${CANARY}@127.0.0.1/east`) }, /SAR432.*is no URL/],
      [{ WEST_URL: 'postgresql:///?service=north' }, /SAR432.*names the service north, which is in no service file/],
      [{ PGSERVICEFILE: await file('twice.conf', `[west]\nservice=${CANARY}`) }, /SAR432.*has a parameter of the service west that is not known here: service/],
      [{ PGSERVICEFILE: await file('odd.conf', `[west]\n${CANARY}`) }, /SAR432.*whose line 2 of .* is no parameter/],
      [{ PGSERVICEFILE: folder }, /SAR432.*cannot be read \(EISDIR\)/],
    ];
    for (const [changes, message] of faults) {
      const { code, said } = await call(['plan'], { ...GOOD(), ...changes });
      expect(said).toMatch(message);
      expect(code, said).toBe(4);
    }
    expect((await call(['plan'], { WEST_URL: url('west') })).said).toMatch(/SAR400.*EAST_URL is not set[\s\S]*or EAST_URL_FILE/);
  },
  SLOW_MS,
);

describe('a session takes, in this order, the string, the service, and PG… variables:', () => {
  async function reached(text: string, env: Readonly<Record<string, string>>): Promise<string> {
    const session = await connect({ database: 'east', variable: 'EAST_URL', url: text, role: 'inspect', env });
    const { rows } = await session.query("select concat_ws(' ', current_database(), session_user) as who");
    await session.close();
    return rows[0]?.['who'] ?? '';
  }

  test.each([
    ['postgresql:///?service=west', 'west keeper'],
    ['postgresql:///east?service=west', 'east keeper'],
    ['postgresql://postgres@/?service=west', 'west postgres'],
    ['postgresql:///?service=west&dbname=east&user=postgres', 'east postgres'],
  ])('%s', async (text, who) => {
    expect(await reached(text, { PGSERVICEFILE: join(folder, 'services.conf') })).toBe(who);
  });

  test('the home folder, then the folder of the system', async () => {
    const service = (database: string): string => `[here]\nhost=127.0.0.1\nport=${server.port}\nuser=postgres\ndbname=${database}\n`;
    const [home, system] = [await mkdtemp(join(folder, 'home-')), await mkdtemp(join(folder, 'system-'))];
    await writeFile(join(system, 'pg_service.conf'), service('west'));
    expect(await reached('postgresql:///?service=here', { HOME: home, PGSYSCONFDIR: system })).toBe('west postgres');
    await writeFile(join(home, '.pg_service.conf'), service('east'));
    expect(await reached('postgresql:///?service=here', { HOME: home, PGSYSCONFDIR: system })).toBe('east postgres');
  });
});

test('a password that nothing else gives comes from the password file', async () => {
  const PGPASSFILE = await file('passwords', `127.0.0.1:${server.port}:*:keeper:${CANARY}\n`);
  const bare = (name: string): string => server.url(name).replace('postgres@', 'keeper@');
  const env = { EAST_URL: bare('east'), WEST_URL: bare('west') };
  expect((await call(['plan'], env)).code).not.toBe(0);
  expect(await call(['plan'], { ...env, PGPASSFILE })).toMatchObject({ code: 0 });
});
