import { copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { verb } from '../../src/commands/compile.ts';
import { CASES } from '../compiler/case-names.ts';
import { waitUntil } from '../support/wait.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sarrio-watch-'));
  await mkdir(join(folder, 'generated'));
  await copyFile(join(CASES, 'shop', 'schema.lock.json'), join(folder, 'generated', 'schema.lock.json'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('compile --watch compiles at each change of the config and of what it imports, through faults, until it is told to stop', async () => {
  const config = await readFile(join(CASES, 'shop', 'replication.config.ts'), 'utf8');
  const file = join(folder, 'replication.config.ts');
  await writeFile(file, `import './part.ts';\n${config}`);
  await writeFile(join(folder, 'part.ts'), 'export {};\n');
  const stop = new AbortController();
  const told = { out: '', err: '' };
  const output = { out: (text: string) => void (told.out += text), err: (text: string) => void (told.err += text) };
  const context = { cwd: folder, env: {}, output, isTty: false, columns: null, ask: null, signal: stop.signal };
  const running = verb.run({ watch: true, generated: 'generated', configTimeout: 10_000 }, context);
  const rounds = (): number => told.err.split('; watching\n').length - 1;

  await waitUntil('it has compiled once', () => rounds() >= 1 && told.out.includes('written  generated/plan.yaml'));
  await writeFile(file, `import './part.ts';\n${config.replace("'one-way'", "'onewya'")}`);
  await waitUntil('it has told of the fault', () => told.err.includes('error SAR105') && told.err.includes("'onewya'"));
  const failed = rounds();
  // As many editors save: by another file in its place.
  await writeFile(`${file}.new`, `import './part.ts';\n${config}`);
  await rename(`${file}.new`, file);
  await waitUntil('it has compiled what is right again', () => rounds() > failed && told.out.includes('generated/ is up to date'));
  for (const limit of [5, 6]) {
    const before = rounds();
    await writeFile(`${file}.new`, `import './part.ts';\n${config} // ${limit}\n`);
    await rename(`${file}.new`, file);
    await waitUntil('it has seen a file that was replaced once more', () => rounds() > before);
  }
  await writeFile(join(folder, 'part.ts'), "throw new Error('broken part');\n");
  await waitUntil('it has seen the change of what is imported', () => told.err.includes('broken part'));
  stop.abort('SIGINT');
  expect(await running).toMatchObject({ exit: 'ok', diagnostics: [] });
});
