import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
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

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sarrio-config-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

async function load(files: Readonly<Record<string, string>>): Promise<string> {
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  try {
    const { config } = await loadConfig({ path: 'replication.config.ts', cwd: folder });
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

  test('whose import throws is pointed at, without a path of the machine', async () => {
    const result = await load({ 'replication.config.ts': CONFIG, 'tables.ts': "throw new Error('no tables today');\n" });
    expect(result).toMatch(/^invalid: replication\.config\.ts\(\d+,\d+\): error SAR101: .*no tables today$/);
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
