import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startEvaluator } from '../../src/compiler/1-load/evaluate/evaluator.ts';
import { loadConfig } from '../../src/compiler/1-load/load-config.ts';
import { formatDiagnostic } from '../../src/plan/diagnostic.ts';
import { SarrioError } from '../../src/plan/errors.ts';

const CONFIG = `import { defineReplication, env } from 'sarrio';
import { tables } from './tables.ts';

export default defineReplication({
  databases: { east: env('EAST_URL'), west: env('WEST_URL') },
  syncs: { shop: { mode: 'one-way', source: 'east', targets: ['west'], tables } },
});
`;

let folder: string;
const evaluator = startEvaluator();

afterAll(() => evaluator.close());

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sarrio-config-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

async function load(files: Readonly<Record<string, string>>, options: { path?: string; timeoutMs?: number } = {}): Promise<string> {
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  try {
    const { config } = await loadConfig({ path: null, cwd: folder, evaluator, ...options });
    return JSON.stringify(config.syncs['shop']?.tables);
  } catch (error) {
    if (!(error instanceof SarrioError)) throw error;
    return `${error.exit}: ${error.diagnostics.map(formatDiagnostic).join('\n')}`;
  }
}

describe('a config file', () => {
  test('may import modules of its own', async () => {
    expect(await load({ 'replication.config.ts': CONFIG, 'tables.ts': "export const tables: string[] = ['public.a'];\n" })).toBe('["public.a"]');
  });

  test('may wait for something', async () => {
    const text = CONFIG.replace("import { tables } from './tables.ts';", "const tables = await Promise.resolve(['public.a']);");
    expect(await load({ 'replication.config.ts': text })).toBe('["public.a"]');
  });

  test('is loaded anew each time', async () => {
    const first = await load({ 'replication.config.ts': CONFIG, 'tables.ts': "export const tables = ['public.a'];\n" });
    const second = await load({ 'tables.ts': "export const tables = ['public.b'];\n" });
    expect([first, second]).toEqual(['["public.a"]', '["public.b"]']);
  });

  test('with a syntax error says where', async () => {
    const text = "import { env } from 'sarrio';\n\nexport default { databases: { east: env('EAST_URL' } };\n";
    expect(await load({ 'replication.config.ts': text })).toMatch(
      /^invalid: replication\.config\.ts\(3,51\): error SAR101: the config cannot be evaluated: .*expected ","$/,
    );
  });

  test('whose import throws, or cannot be read, is pointed at there, without a path of the machine', async () => {
    const thrown = await load({ 'replication.config.ts': CONFIG, 'tables.ts': "\nthrow new Error('no tables today');\n" });
    expect(thrown).toMatch(/^invalid: tables\.ts\(2,7\): error SAR101: .*no tables today$/);
    const unread = await load({ 'tables.ts': "export const tables = ['public.a';\n" });
    expect(unread).toMatch(/^invalid: tables\.ts\(1,\d\d\): error SAR101: .*expected ","$/);
  });

  test('with an import that is not there says so', async () => {
    const result = await load({ 'replication.config.ts': CONFIG });
    expect(result).toMatch(/SAR101: .*tables\.ts/);
    expect(result).not.toContain(folder);
  });

  test('with a fault in what it imports is pointed at where that is used', async () => {
    const result = await load({ 'replication.config.ts': CONFIG, 'tables.ts': 'export const tables = [7];\n' });
    expect(result).toMatch(/^invalid: replication\.config\.ts\(6,72\): error SAR105: syncs\.shop\.tables\[0\] must be a text, not a number$/);
  });
});

/** The config with a line at its beginning and an expression as its project. */
const reading = (line: string, project = "'shop'"): string =>
  `${line}\n${CONFIG.replace("import { tables } from './tables.ts';\n", '').replace('  databases:', `  project: ${project},\n  databases:`).replace('tables }', "tables: ['public.a'] }")}`;

describe('a config that is not the same everywhere', () => {
  test.each([
    [
      'process.env',
      "const name = process.env.SHOP ?? 'shop';",
      'process.env',
      "reads process.env.SHOP, which differs from machine to machine and is empty here\n  A connection is named and looked up later: env('SHOP').",
    ],
    ['the environment by its import', "import { env as all } from 'node:process'; const name = all['SHOP'] ?? 'shop';", 'SHOP', 'reads process.env.SHOP'],
    ['the clock', 'const at = Date.now();', 'Date.now', 'reads Date.now, which differs from moment to moment'],
    ['the time of a date', 'const at = new Date();', 'new Date()', 'reads new Date()'],
    ['randomness', 'const some = Math.random();', 'Math.random', 'reads Math.random, which is another one each time'],
    ['random bytes', "import { randomUUID } from 'node:crypto'; const some = randomUUID();", 'randomUUID(', 'reads crypto.randomUUID'],
    ['the name of the machine', "import { hostname } from 'node:os'; const some = hostname();", 'hostname(', 'reads os.hostname'],
  ])('is pointed at where it reads %s', async (_, line, word, text) => {
    const result = await load({ 'replication.config.ts': reading(line) });
    expect(result).toContain(`replication.config.ts(1,${line.indexOf(word) + 1}): error SAR108: the config ${text}`);
  });

  test('is pointed at in a module of its own, too', async () => {
    const result = await load({ 'replication.config.ts': CONFIG, 'tables.ts': "\nexport const tables = ['public.a' + Math.random()];\n" });
    expect(result).toContain('tables.ts(2,37): error SAR108: the config reads Math.random');
  });

  test.each([
    ['locales', "['s', 't', 'z'].sort((one, other) => one.localeCompare(other)).join('')"],
    ['collators', "['s', 't', 'z'].sort(new Intl.Collator().compare).join('')"],
    ['time zones', "'at' + new Date(0).getDate()"],
  ])('is pointed at where it differs between %s', async (_, project) => {
    const result = await load({ 'replication.config.ts': reading('', project) });
    expect(result).toMatch(/replication\.config\.ts\(5,12\): error SAR109: the config is another one each time it is read/);
  });

  // Node 26 asks for a variable of its own whenever something is required.
  test.each([
    ['node:internal/modules/cjs/loader', 'not told of'],
    ['node:os', 'told of'],
  ])('that %s reads the environment for it is %s', async (filename, said) => {
    const line = `import { runInThisContext } from 'node:vm'; runInThisContext('function read() { return process.env.WATCHED; } read', { filename: '${filename}' })();`;
    const result = await load({ 'replication.config.ts': reading(line) });
    if (said === 'told of') expect(result).toContain('SAR108: the config reads process.env.WATCHED');
    else expect(result).toBe('["public.a"]');
  });

  test('may handle dates that are written out, and what packages read is theirs', async () => {
    expect(await load({ 'replication.config.ts': reading("const at = new Date('2026-01-01T00:00:00Z').toISOString();") })).toBe('["public.a"]');
  });
});

describe('a config that does not come to an end', () => {
  test.each([
    ['runs for ever', 'for (;;);', 'SAR106: the config did not end within 1 s'],
    ['waits for ever', 'await new Promise(() => undefined);', 'SAR106: the config '],
    ['exits', 'process.exit(0);', 'SAR107: the config calls process.exit(0)'],
    ['is killed', "process.kill(process.pid, 'SIGKILL');", 'SAR107: the config ended the process that reads it (SIGKILL)'],
    ['throws something that is no error', "throw 'no';", 'SAR101: the config cannot be evaluated: no'],
    [
      'contains itself',
      'const own: Record<string, unknown> = {}; own.own = own; export { own as default };',
      'SAR101: the config cannot be evaluated: the config contains itself',
    ],
  ])('and %s is told of', async (_, line, text) => {
    const isWhole = line.includes('as default');
    const result = await load(
      { 'replication.config.ts': isWhole ? line : reading(line) },
      { timeoutMs: /for ever/.test(text) || line.startsWith('for') ? 1000 : 10_000 },
    );
    expect(result).toMatch(/^invalid: replication\.config\.ts\(1,/);
    expect(result).toContain(text);
  });

  test('leaves the next one to be read', async () => {
    expect(await load({ 'replication.config.ts': reading('') })).toBe('["public.a"]');
  });
});

describe('a repository of any kind', () => {
  const module =
    "import { defineReplication, env } from 'sarrio';\nexport default defineReplication({ databases: { a: env('A') }, syncs: { shop: { mode: 'one-way', source: 'a', targets: ['a'], tables: ['public.a'] } } });\n";
  const common =
    "const { defineReplication, env } = require('sarrio');\nmodule.exports = defineReplication({ databases: { a: env('A') }, syncs: { shop: { mode: 'one-way', source: 'a', targets: ['a'], tables: ['public.a'] } } });\n";

  test.each([
    ['TypeScript', { 'replication.config.ts': module, 'package.json': '{}' }],
    ['TypeScript, ESM', { 'replication.config.ts': module, 'package.json': '{ "type": "module" }' }],
    ['TypeScript, .mts', { 'replication.config.mts': module }],
    ['JavaScript, ESM', { 'replication.config.js': module, 'package.json': '{ "type": "module" }' }],
    ['JavaScript, .mjs', { 'replication.config.mjs': module }],
    ['JavaScript, CommonJS', { 'replication.config.js': common, 'package.json': '{ "type": "commonjs" }' }],
    ['JavaScript, .cjs', { 'replication.config.cjs': common, 'package.json': '{ "type": "module" }' }],
  ])('%s', async (_, files) => {
    expect(await load(files as unknown as Readonly<Record<string, string>>)).toBe('["public.a"]');
  });

  test('with two configs says which', async () => {
    expect(await load({ 'replication.config.ts': module, 'replication.config.mjs': module })).toContain(
      'SAR100: there are several configs: replication.config.ts, replication.config.mjs',
    );
  });

  test('with faults in a CommonJS config says where', async () => {
    expect(await load({ 'replication.config.cjs': common.replace("'one-way'", "'onewya'") })).toMatch(/replication\.config\.cjs\(2,\d\d\): error SAR105/);
  });
});
