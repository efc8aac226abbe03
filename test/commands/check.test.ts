import { copyFile, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { verb as check } from '../../src/commands/check.ts';
import { verb as compile } from '../../src/commands/compile.ts';
import { verb as explain } from '../../src/commands/explain.ts';
import { CASES } from '../compiler/case-names.ts';
import { type Outcome, runVerb } from '../support/run-verb.ts';

/** The case `patterns`, compiled: it has warnings. */
let folder: string;
const WARNING = 'SAR204';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sarrio-check-'));
  const from = join(CASES, 'patterns');
  await copyFile(join(from, 'replication.config.ts'), join(folder, 'replication.config.ts'));
  await cp(join(from, 'expected'), join(folder, 'generated'), { recursive: true });
  await copyFile(join(from, 'schema.lock.json'), join(folder, 'generated', 'schema.lock.json'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const checked = (...args: string[]): Promise<Outcome> => runVerb(check, args, { cwd: folder, env: {} });
const codes = ({ diagnostics }: Outcome): readonly string[] => [...new Set(diagnostics.map(({ code }) => code))];

test('what is right is fine, with its warnings', async () => {
  const outcome = await checked();
  expect([outcome.exit, outcome.diagnostics.every(({ severity }) => severity === 'warning')]).toEqual(['ok', true]);
  expect(codes(outcome)).toContain(WARNING);
});

test('more warnings than allowed are a failure', async () => {
  const outcome = await checked('--max-warnings', '0');
  expect([outcome.exit, codes(outcome).at(-1)]).toEqual(['differs', 'SAR309']);
  expect((await checked('--max-warnings', '100')).exit).toBe('ok');
});

test('types that are not those of the schema lock are out of date; compile puts them right', async () => {
  const types = join(folder, 'generated', 'schema.d.ts');
  const text = await readFile(types, 'utf8');
  await writeFile(types, text.replaceAll('\n', '\r\n'));
  expect((await checked()).exit).toBe('ok');
  await writeFile(types, text.replace('readonly', ''));
  const outcome = await checked();
  expect(outcome.exit).toBe('differs');
  expect(outcome.diagnostics.filter(({ code }) => code === 'SAR308')).toMatchObject([{ severity: 'error', where: 'generated/schema.d.ts' }]);
  expect((await runVerb(compile, ['--check'], { cwd: folder, env: {} })).exit).toBe('differs');
  await runVerb(compile, [], { cwd: folder, env: {} });
  expect(await readFile(types, 'utf8')).toBe(text);
  expect((await checked()).exit).toBe('ok');
});

test('explain knows every code by its digits, and says when there is none', async () => {
  const explained = await runVerb(explain, ['201'], { cwd: folder, env: {} });
  expect(explained.text).toMatch(/^SAR201: there is no such table\n\n.*For example:\n {2}tables: \['public\.ordres'\]\n.*What to do:\n/s);
  expect(await runVerb(explain, ['SAR999'], { cwd: folder, env: {} })).toMatchObject({ exit: 'invalid', diagnostics: [{ code: 'SAR003' }] });
  expect((await runVerb(explain, [], { cwd: folder, env: {} })).text).toContain('\nSAR816  ');
});
