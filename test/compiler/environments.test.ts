import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readFile } from 'node:fs/promises';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { startEvaluator } from '../../src/compiler/1-load/evaluate/evaluator.ts';
import { loadConfig } from '../../src/compiler/1-load/load-config.ts';
import { compileConfig } from '../../src/compiler/compile.ts';
import { formatDiagnostic } from '../../src/plan/diagnostic.ts';
import { bindEnvironment } from '../../src/plan/environment.ts';
import { SarrioError } from '../../src/plan/errors.ts';
import type { Plan } from '../../src/plan/plan.ts';
import { readLock } from '../../src/plan/read-lock.ts';
import { CASES } from './case-names.ts';

const FOLDER = join(CASES, 'environments');
const evaluator = startEvaluator();
afterAll(() => evaluator.close());

async function compiled(change: (config: Awaited<ReturnType<typeof loadConfig>>) => Awaited<ReturnType<typeof loadConfig>> = (loaded) => loaded) {
  const lock = readLock(await readFile(join(FOLDER, 'schema.lock.json'), 'utf8'), 'schema.lock.json');
  return compileConfig(change(await loadConfig({ path: 'replication.config.ts', cwd: FOLDER, evaluator })), lock);
}

const withoutEnvironments = (loaded: Awaited<ReturnType<typeof loadConfig>>): typeof loaded => {
  const { environments: _, ...config } = loaded.config;
  return { ...loaded, config };
};

describe('environments', () => {
  test('change no generated SQL: all files but the plan, and all of the plan but its section, are as without them', async () => {
    const [many, none] = [await compiled(), await compiled(withoutEnvironments)];
    const [{ environments, requires, ...rest }, { requires: fewer, ...plain }] = [many.plan, none.plan];
    expect(Object.keys(environments ?? {})).toEqual(['bench', 'production', 'staging']);
    expect(requires).toEqual(['environments', ...fewer]);
    expect(rest).toEqual(plain);
    const sql = ({ files }: typeof many) => new Map([...files].filter(([path]) => path !== 'plan.yaml'));
    expect(sql(many)).toEqual(sql(none));
    expect(sql(many).size).toBeGreaterThan(5);
  });

  test('bind endpoints and numbers, and every statement and object stays', async () => {
    const { plan } = await compiled();
    const names = Object.keys(plan.environments ?? {});
    for (const name of names) {
      const bound = bindEnvironment(plan, name);
      expect(Object.entries(bound.databases).map(([database, { url }]) => [database, url])).toEqual(
        Object.entries(plan.environments?.[name]?.databases ?? {}).map(([database, url]) => [database, url]),
      );
      expect(statements(bound)).toEqual(statements(plan));
    }
    const { orders, prices, stock } = bindEnvironment(plan, 'staging').syncs;
    expect(orders).toMatchObject({
      maxBacklog: { bytes: 1024 ** 3, rows: 1_000_000 },
      copy: { jobs: 4, bytesPerSecond: 5 * 1024 ** 2, rebuildIndexes: true },
      guard: { deletes: 0.2, minRows: 10, truncate: true },
    });
    expect(prices).toMatchObject({ schedule: { kind: 'interval', seconds: 21_600 }, lockTimeoutMs: 200 });
    expect(stock).toMatchObject({ maxClockSkewMs: 5_000, keepConflictsHours: 12, copy: { bytesPerSecond: 2 * 1024 ** 2 } });
    expect(bindEnvironment(plan, 'production').syncs).toEqual(plan.syncs);
  });

  test.each([
    ['nothing', null],
    ['another name', 'stagin'],
    ['a name of JavaScript', 'constructor'],
  ])('are never used when %s is named', async (_, name) => {
    const { plan } = await compiled();
    expect(() => bindEnvironment(plan, name)).toThrow(expect.objectContaining({ exit: 'invalid', diagnostics: [expect.objectContaining({ code: 'SAR325' })] }));
  });

  test('that the plan does not have cannot be named', async () => {
    const { plan } = await compiled(withoutEnvironments);
    expect(bindEnvironment(plan, null)).toBe(plan);
    expect(() => bindEnvironment(plan, 'staging')).toThrow(SarrioError);
  });
});

describe('what is neither an endpoint nor a number has its place and its reason:', () => {
  const DATABASES = "databases: { east: env('E'), west: env('W') }";
  test.each([
    ['syncs: { s: { where: "x" } }', 'SAR103', "unknown key 'where'"],
    ['syncs: { s: { tables: ["public.b"] } }', 'SAR103', "unknown key 'tables'"],
    ['syncs: { s: { copy: { rebuildIndexes: true } } }', 'SAR103', "unknown key 'rebuildIndexes'"],
    ['syncs: { s: { guard: { truncate: false } } }', 'SAR103', "unknown key 'truncate'"],
    ['syncs: { s: { every: "30 2 * * *" } }', 'SAR105', 'every has characters'],
    ['syncs: { s: { maxBacklog: "much" } }', 'SAR105', 'maxBacklog'],
    ['project: "other"', 'SAR103', "unknown key 'project'"],
    ['extends: "production"', 'SAR103', "unknown key 'extends'"],
  ])('%s', async (text, code, message) => {
    const said = await faultsOf(`staging: { ${DATABASES}, ${text} }`);
    expect(said).toMatch(new RegExp(`^replication\\.config\\.ts\\(6,\\d+\\): error ${code}: .*`));
    expect(said).toContain(message);
  });

  test('roles, too: their grants are SQL', async () => {
    const said = await faultsOf("staging: { databases: { east: { ...env('E'), roles: { reader: 'r' } }, west: env('W') } }");
    expect(said).toContain("SAR103: unknown key 'roles'");
    expect(said).toContain('An environment binds endpoints and numbers only');
  });
});

async function faultsOf(environment: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sarrio-environments-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const text = `import { defineReplication, env } from 'sarrio';

export default defineReplication({
  databases: { east: env('EAST_URL'), west: env('WEST_URL') },
  syncs: { s: { mode: 'one-way', source: 'east', targets: ['west'], tables: ['public.a'] } },
  environments: { ${environment} },
});
`;
  await writeFile(join(folder, 'replication.config.ts'), text);
  const loading = loadConfig({ path: null, cwd: folder, evaluator });
  return loading.then(
    () => 'no fault',
    (error: unknown) => {
      if (!(error instanceof SarrioError)) throw error;
      return error.diagnostics.map(formatDiagnostic).join('\n');
    },
  );
}

/** All that is run somewhere: objects with the hashes of their text, and every statement. */
function statements({ databases, syncs }: Plan): unknown {
  const objects = Object.entries(databases).map(([name, { url: _, ...rest }]) => [name, rest]);
  const tables = Object.entries(syncs).map(([name, sync]) => [name, sync.tables, sync.mode === 'full-copy' ? sync.routes : null]);
  return { objects, tables };
}
