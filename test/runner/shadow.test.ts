import { readFile } from 'node:fs/promises';
import { inject } from 'vitest';
import { expect, test } from 'vitest';
import { verb as diffVerb } from '../../src/commands/diff.ts';
import { compileConfig } from '../../src/compiler/compile.ts';
import { loadConfig } from '../../src/compiler/1-load/load-config.ts';
import { writeGenerated } from '../../src/plan/generated-files.ts';
import { readLock } from '../../src/plan/read-lock.ts';
import { openDatabase } from '../support/database.ts';
import { runVerb } from '../support/run-verb.ts';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

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
