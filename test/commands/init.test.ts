import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { verb as initVerb } from '../../src/commands/init.ts';
import { freshDatabase } from '../support/databases.ts';
import { runVerb } from '../support/run-verb.ts';

test('init asks at most three questions, looks at both databases, and overwrites nothing', async () => {
  const [shop, report] = [await freshDatabase('shop'), await freshDatabase('report')];
  await shop.script('create table orders (id int primary key); create table log (line text); create unlogged table cache (k text primary key)');
  await report.script('create table orders (id int primary key)');
  const dir = await mkdtemp(join(tmpdir(), 'sarrio-init-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const env = { SHOP_DATABASE_URL: shop.url, REPORT_URL: report.url, OTHER: 'x' };
  const asked: string[] = [];
  const ask = async (question: string): Promise<string> => {
    asked.push(question);
    return asked.length === 1 ? 'SHOP_DATABASE_URL' : '';
  };
  await writeFile(join(dir, '.gitattributes'), '*.png binary\n');
  const dry = await runVerb(initVerb, ['--dry-run', '--yes', '--source', 'SHOP_DATABASE_URL'], { cwd: dir, env });
  expect(dry.text).toContain('would write  replication.config.ts');
  await expect(readFile(join(dir, 'replication.config.ts'))).rejects.toThrow('ENOENT');
  const made = await runVerb(initVerb, [], { cwd: dir, env, ask });
  expect(asked).toEqual([
    'Which variable holds the connection string of the source? [REPORT_URL] ',
    'Which one that of the target? [REPORT_URL] ',
    'Which tables? [public.*] ',
  ]);
  expect(made.data).toMatchObject({ written: ['replication.config.ts', '.env.example', '.github/workflows/replication.yml'], kept: ['.gitattributes'] });
  expect(made.text).toContain('without a key, left out: public.log');
  expect(made.text).toContain('unlogged (a crash empties them): public.cache');
  expect(made.text).toContain('not on the target: create them there before `sarrio apply`: public.cache, public.log');
  const config = await readFile(join(dir, 'replication.config.ts'), 'utf8');
  expect(config).toContain("shop: env('SHOP_DATABASE_URL'),\n    report: env('REPORT_URL'),");
  expect(config).toContain("exclude: ['public.log'],");
  expect(await readFile(join(dir, '.gitattributes'), 'utf8')).toBe('*.png binary\n');
  expect(await readFile(join(dir, '.env.example'), 'utf8')).not.toContain(new URL(shop.url).port);
  const again = await runVerb(initVerb, ['--yes', '--source', 'SHOP_DATABASE_URL'], { cwd: dir, env });
  expect(again.data).toMatchObject({ written: [] });
  expect(await readFile(join(dir, 'replication.config.ts'), 'utf8')).toBe(config);
});

test.each([
  ['nobody to ask', [], 'SAR530'],
  ['no such variable', ['--source', 'ABSENT', '--target', 'B_URL', '--yes'], 'SAR531'],
  ['one for both', ['--source', 'B_URL', '--target', 'B_URL', '--yes'], 'SAR531'],
  ['no name at all', ['--source', "x'); drop", '--target', 'B_URL', '--yes'], 'SAR531'],
])('with %s it is invalid', async (_, args, code) => {
  const outcome = await runVerb(initVerb, args, { cwd: tmpdir(), env: { B_URL: 'postgres://x@127.0.0.1:1/x' } });
  expect(outcome).toMatchObject({ exit: 'invalid', diagnostics: [{ code }] });
});
