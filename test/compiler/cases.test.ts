import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { startEvaluator } from '../../src/compiler/1-load/evaluate/evaluator.ts';
import { compile } from '../../src/compiler/compile.ts';
import { formatDiagnostic } from '../../src/plan/diagnostic.ts';
import { SarrioError } from '../../src/plan/errors.ts';
import { compareGenerated } from '../../src/plan/generated-files.ts';
import { readLock } from '../../src/plan/read-lock.ts';
import { CASES, caseNames } from './case-names.ts';

const evaluator = startEvaluator();
afterAll(() => evaluator.close());

const UPDATE = process.env.UPDATE_CASES === '1';

describe('golden cases', () => {
  test.each(caseNames())('%s', async (name) => {
    const { diagnostics, files } = await compileCase(name);
    const folder = join(CASES, name);
    if (UPDATE) await writeCase(folder, { diagnostics, files });
    expect(diagnostics).toBe(await readFile(join(folder, 'diagnostics.txt'), 'utf8'));
    expect(await readExpected(join(folder, 'expected'))).toEqual(Object.fromEntries(files));
  });

  test('show every diagnostic of the compiler', async () => {
    const shown = await Promise.all(caseNames().map((name) => readFile(join(CASES, name, 'diagnostics.txt'), 'utf8')));
    const codes = new Set(shown.join().match(/SAR\d{3}/g));
    expect([...(await codesOf('src/compiler'))].filter((code) => !codes.has(code))).toEqual([]);
  });
});

type Result = { readonly diagnostics: string; readonly files: ReadonlyMap<string, string> };

async function compileCase(name: string): Promise<Result> {
  const folder = join(CASES, name);
  const lock = readLock(await readFile(join(folder, 'schema.lock.json'), 'utf8'), 'schema.lock.json');
  try {
    const { files, warnings } = await compile({ path: 'replication.config.ts', cwd: folder, lock, evaluator });
    return { diagnostics: warnings.map((warning) => `${formatDiagnostic(warning)}\n`).join(''), files };
  } catch (error) {
    if (!(error instanceof SarrioError)) throw error;
    return { diagnostics: error.diagnostics.map((diagnostic) => `${formatDiagnostic(diagnostic)}\n`).join(''), files: new Map() };
  }
}

async function writeCase(folder: string, { diagnostics, files }: Result): Promise<void> {
  await writeFile(join(folder, 'diagnostics.txt'), diagnostics);
  await rm(join(folder, 'expected'), { recursive: true, force: true });
  for (const [path, text] of files) {
    await mkdir(dirname(join(folder, 'expected', path)), { recursive: true });
    await writeFile(join(folder, 'expected', path), text);
  }
  expect(await compareGenerated(join(folder, 'expected'), files)).toEqual({ written: [], deleted: [] });
}

async function readExpected(folder: string): Promise<Readonly<Record<string, string>>> {
  const files: Record<string, string> = {};
  for (const path of await listFiles(folder)) files[path] = await readFile(join(folder, path), 'utf8');
  return files;
}

async function codesOf(folder: string): Promise<ReadonlySet<string>> {
  const texts = await Promise.all((await listFiles(folder)).map((path) => readFile(join(folder, path), 'utf8')));
  return new Set(texts.join().match(/(?<=')SAR\d{3}(?=')/g));
}

async function listFiles(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return paths.map((path) => path.slice(join(folder, '/').length)).sort();
}
