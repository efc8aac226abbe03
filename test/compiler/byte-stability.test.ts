import { copyFile, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildOnce, program } from '../support/build.ts';
import { CASES } from './case-names.ts';

const COMPILING = ['shop', 'patterns', 'two-syncs', 'masters'];
const SETTINGS = [
  { TZ: 'Pacific/Kiritimati', LC_ALL: 'tr_TR.UTF-8' },
  { TZ: 'America/St_Johns', LC_ALL: 'C' },
  { TZ: 'UTC', LC_ALL: 'sv_SE.UTF-8', NO_COLOR: '1' },
];

let folder: string;

beforeAll(async () => {
  await buildOnce();
  folder = await mkdtemp(join(tmpdir(), 'sarrio-stable-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

test.each(COMPILING)('%s: time zone, locale and folder change no byte', async (name) => {
  const outputs = await Promise.all(SETTINGS.map((env, index) => compileIn(join(folder, `${name}-${index}`, 'x'.repeat(index + 1)), { name, env })));
  expect(Object.keys(outputs[0] ?? {})).toContain('plan.yaml');
  expect(outputs[1]).toEqual(outputs[0]);
  expect(outputs[2]).toEqual(outputs[0]);
});

test('compiling again writes nothing, and --check says so', async () => {
  const place = join(folder, 'again');
  await compileIn(place, { name: 'two-syncs', env: {} });
  const again = await execa(program, ['compile', '--json'], { cwd: place });
  expect(JSON.parse(again.stdout)).toMatchObject({ exit: 'ok', data: { upToDate: true, written: [], deleted: [] } });
  expect((await execa(program, ['compile', '--check'], { cwd: place })).exitCode).toBe(0);
});

/** From another folder than the config's, so that no path can get in by way of it either. */
async function compileIn(place: string, options: { name: string; env: Readonly<Record<string, string>> }): Promise<Readonly<Record<string, string>>> {
  const generated = join(place, 'generated');
  await mkdir(generated, { recursive: true });
  await copyFile(join(CASES, options.name, 'replication.config.ts'), join(place, 'replication.config.ts'));
  await copyFile(join(CASES, options.name, 'schema.lock.json'), join(generated, 'schema.lock.json'));
  await execa(program, ['compile', '--config', join(place, 'replication.config.ts'), '--generated', generated], { cwd: folder, env: options.env });
  const entries = await readdir(generated, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const files = await Promise.all(paths.map(async (path) => [path.slice(join(generated, '/').length), await readFile(path, 'utf8')] as const));
  return Object.fromEntries(files);
}
