import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildOnce, program } from '../support/build.ts';
import { startServer, type TestServer } from '../support/server.ts';

const CONFIG = `import { defineReplication, env } from 'sarrio';
export default defineReplication({
  databases: { east: env('EAST_URL'), west: env('WEST_URL') },
  syncs: { notes: { mode: 'one-way', source: 'east', targets: ['west'], tables: ['public.notes'] } },
});
`;

let folder: string;

beforeAll(async () => {
  await buildOnce();
  folder = await mkdtemp(join(tmpdir(), 'sarrio-cli-'));
  await writeFile(join(folder, 'replication.config.ts'), CONFIG);
});

afterAll(() => rm(folder, { recursive: true, force: true }));

type Finished = { readonly exitCode: number | undefined; readonly stdout: string; readonly stderr: string };

async function sarrio(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Finished> {
  const { exitCode, stdout, stderr } = await execa(program, args, { cwd: folder, env, reject: false });
  return { exitCode, stdout, stderr };
}

describe('the program', () => {
  test('lists its verbs', async () => {
    const { stdout, exitCode } = await sarrio(['--help']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/pull .*\n[\s\S]*compile .*\n[\s\S]*apply /);
    expect((await sarrio(['help', 'compile'])).stdout).toContain('--check');
    expect((await sarrio(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+$/);
  });

  test.each([[['frobnicate']], [['compile', '--bogus']], [[]], [['compile', 'too', 'many']]])('%j is a usage error: exit 4', async (args) => {
    const { exitCode, stdout, stderr } = await sarrio(args);
    expect(exitCode).toBe(4);
    expect(stdout).toBe('');
    expect(stderr).not.toBe('');
  });

  test('prints the envelope also when it fails', async () => {
    const usage = await sarrio(['compile', '--json', '--bogus']);
    expect(JSON.parse(usage.stdout)).toMatchObject({ schema: 'sarrio/compile/1.0', command: 'compile', exit: 'invalid', data: null });
    const missing = await sarrio(['plan', '--json']);
    expect(missing.exitCode).toBe(4);
    expect(JSON.parse(missing.stdout)).toMatchObject({ command: 'plan', exit: 'invalid', diagnostics: [{ code: 'SAR301' }] });
  });

  test('puts diagnostics of compile on standard error, in the form of tsc', async () => {
    const { exitCode, stdout, stderr } = await sarrio(['compile']);
    expect(exitCode).toBe(4);
    expect(stdout).toBe('');
    expect(stderr).toContain("replication.config.ts(3,16): error SAR200: the schema lock knows nothing of database 'east'");
  });
});

describe('pull', () => {
  let server: TestServer;
  let env: Record<string, string>;

  beforeAll(async () => {
    server = await startServer({ durable: false });
    for (const name of ['east', 'west']) {
      const database = await server.createDatabase(name);
      await database.script('create table public.notes (id integer primary key, body text)');
      await database.close();
    }
    const secret = (name: string): string => server.url(name).replace('postgres@', 'postgres:canary-in-a-mine@');
    env = { EAST_URL: secret('east'), WEST_URL: secret('west') };
  });

  afterAll(() => server?.dispose());

  test('names every variable that is not set, and contacts nothing', async () => {
    const { exitCode, stderr } = await sarrio(['pull'], { EAST_URL: '' });
    expect(exitCode).toBe(4);
    expect(stderr).toContain('SAR400: database east: the environment variable EAST_URL is empty');
    expect(stderr).toContain('SAR400: database west: the environment variable WEST_URL is not set');
    expect((await sarrio(['pull'], { ...env, EAST_URL: 'hello' })).stderr).toContain('SAR409');
  });

  test('reports every database that cannot be reached, without the secret', async () => {
    const url = 'postgresql://app:canary-in-a-mine@127.0.0.1:1/east';
    const { exitCode, stderr, stdout } = await sarrio(['pull', '--json'], { EAST_URL: url, WEST_URL: url.replace('east', 'west') });
    expect(exitCode).toBe(1);
    const { diagnostics } = JSON.parse(stdout);
    expect(diagnostics).toMatchObject([
      { code: 'SAR401', where: 'database east' },
      { code: 'SAR401', where: 'database west' },
    ]);
    expect(`${stdout}${stderr}`).not.toContain('canary');
  });

  test('writes the lock, says what is new, other and gone, and compile takes it', async () => {
    const first = await sarrio(['pull'], env);
    expect(first.stdout).toMatch(/^east: 1 tables read with \d queries\n {2}\+ public\.notes\nwest: /);
    expect((await sarrio(['pull'], env)).stdout).toContain('no change');
    const east = await server.createDatabase('other').then(async (other) => {
      await other.script('create table public.notes (id bigint primary key, title text); create table public.unrelated ()');
      await other.close();
      return { ...env, EAST_URL: server.url('other') };
    });
    expect(await sarrio(['pull', '--check'], env)).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('is as the databases are') });
    const differing = await sarrio(['pull', '--check'], east);
    expect(differing).toMatchObject({
      exitCode: 2,
      stdout: expect.stringMatching(/~ public\.notes[\s\S]*Not as the databases are: generated\/schema\.d\.ts, generated\/schema\.lock\.json\./),
    });
    expect((await sarrio(['pull', '--check'], env)).exitCode).toBe(0);
    const second = await sarrio(['pull', '--json'], east);
    const { data } = JSON.parse(second.stdout);
    expect(data.databases[0]).toMatchObject({ added: ['public.notes.title', 'public.unrelated'], changed: ['public.notes.id'], gone: ['public.notes.body'] });
    await sarrio(['pull'], env);
    expect(await sarrio(['compile'])).toMatchObject({ exitCode: 0 });
    expect(await sarrio(['compile', '--check'])).toMatchObject({ exitCode: 0 });
    await writeFile(join(folder, 'generated/plan.yaml'), 'edited');
    const stale = await sarrio(['compile', '--check']);
    expect(stale.exitCode).toBe(2);
    expect(stale.stdout).toContain('out of date  generated/plan.yaml');
  });
});
