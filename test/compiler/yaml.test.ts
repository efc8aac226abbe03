import { existsSync, readdirSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { type Compiled, compile } from '../../src/compiler/compile.ts';
import { startEvaluator } from '../../src/compiler/1-load/evaluate/evaluator.ts';
import { loadConfig } from '../../src/compiler/1-load/load-config.ts';
import { type Diagnostic, formatDiagnostic } from '../../src/plan/diagnostic.ts';
import { SarrioError } from '../../src/plan/errors.ts';
import { readLock } from '../../src/plan/read-lock.ts';
import { keyed, lockOf } from '../types/lock.ts';
import { CASES, caseNames } from './case-names.ts';

const UPDATE = process.env['UPDATE_CASES'] === '1';
/** Configs that are no data: with functions, or that cannot be read at all. */
const NO_DATA = [
  'handlers',
  'handler-faults',
  'config-empty',
  'config-missing',
  'config-throws',
  'config-waits',
  'config-exits',
  'config-reads',
  'config-unequal',
];
const NAMES = caseNames().filter((name) => !NO_DATA.includes(name));

const evaluator = startEvaluator();
afterAll(() => evaluator.close());

type Outcome = { readonly files: Compiled['files'] | null; readonly diagnostics: readonly Diagnostic[] };

async function compiled(name: string, path: string, cwd = join(CASES, name)): Promise<Outcome> {
  const lock = readLock(await readFile(join(CASES, name, 'schema.lock.json'), 'utf8'), 'schema.lock.json');
  try {
    const { files, warnings } = await compile({ path, cwd, lock, evaluator });
    return { files, diagnostics: warnings };
  } catch (error) {
    if (!(error instanceof SarrioError)) throw error;
    return { files: null, diagnostics: error.diagnostics };
  }
}

const said = ({ diagnostics }: Outcome): readonly string[] => diagnostics.map(({ span: _, ...rest }) => formatDiagnostic({ ...rest, span: null })).sort();

/** The evaluated config as YAML, for those who write a case. What no check lets through has no YAML of its own. */
async function yamlOf(name: string): Promise<string> {
  const evaluation = await evaluator.evaluate(resolve(CASES, name, 'replication.config.ts'), 10_000);
  if (evaluation.kind !== 'value') throw new Error(`${name} cannot be read`);
  const { decode } = await import('../../src/compiler/1-load/evaluate/decode.ts');
  return stringify(decode(evaluation.first), { lineWidth: 150, aliasDuplicateObjects: false });
}

test.each(readdirSync('examples').filter((name) => existsSync(join('examples', name, 'replication.config.ts'))))(
  'the example %s gives the same bytes in both forms',
  async (name) => {
    const tables = [keyed('orders', ['id bigint not null', 'note text'])];
    const filesOf = async (path: string) =>
      (await compile({ path, cwd: join('examples', name), lock: lockOf({ main: tables, copy: tables }), evaluator })).files;
    const files = await filesOf('replication.config.ts');
    expect([...files.keys()]).toContain('sql/main/public.orders.sql');
    expect(await filesOf('yaml/replication.config.yaml')).toEqual(files);
  },
);

describe('a config of YAML is the same config', () => {
  test.each(NAMES)('%s', async (name) => {
    const file = join(CASES, name, 'replication.config.yaml');
    if (UPDATE && !existsSync(file)) await writeFile(file, await yamlOf(name));
    const lines = (await readFile(file, 'utf8')).split('\n');
    const [typed, written] = [await compiled(name, 'replication.config.ts'), await compiled(name, 'replication.config.yaml')];
    expect(said(written)).toEqual(said(typed));
    expect(written.files && Object.fromEntries(written.files)).toEqual(typed.files && Object.fromEntries(typed.files));
    // Every fault points into the YAML, at something that is there.
    for (const { span, code } of written.diagnostics) {
      expect([span?.file, code]).toEqual(['replication.config.yaml', code]);
      expect(lines[(span?.line ?? 0) - 1]?.slice((span?.column ?? 0) - 1)).toMatch(/^\S/);
    }
  });
});

describe('what YAML has beside', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sarrio-yaml-'));
    await cp(join(CASES, 'handlers', 'rules'), join(folder, 'rules'), { recursive: true });
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const CONFIG = `$schema: ./node_modules/sarrio/dist/config.schema.json
databases:
  east: { env: EAST_URL }
  west: { env: WEST_URL }
syncs:
  shop:
    mode: multi-master
    members: [east, west]
    onConflict: last-update-wins
    tables:
      - table: public.customers
        onConflict: ./rules/customers.ts#mergeCustomers
`;

  async function faultsOf(text: string): Promise<readonly string[]> {
    await writeFile(join(folder, 'replication.config.yaml'), text);
    try {
      await loadConfig({ path: null, cwd: folder });
      return [];
    } catch (error) {
      if (!(error instanceof SarrioError)) throw error;
      return error.diagnostics.map(formatDiagnostic);
    }
  }

  test('a handler is a name that a module exports, and gives the file that an import of it gives', async () => {
    await writeFile(join(folder, 'replication.config.yaml'), CONFIG);
    await writeFile(
      join(folder, 'typed.ts'),
      `import { mergeCustomers } from './rules/customers.ts';
export default { databases: { east: { env: 'EAST_URL' }, west: { env: 'WEST_URL' } }, syncs: { shop: { mode: 'multi-master', members: ['east', 'west'],
  onConflict: 'last-update-wins', tables: [{ table: 'public.customers', onConflict: mergeCustomers }] } } };`,
    );
    const [written, typed] = [await compiled('handlers', 'replication.config.yaml', folder), await compiled('handlers', 'typed.ts', folder)];
    expect(written.diagnostics).toEqual([]);
    expect([...(written.files ?? new Map()).keys()]).toContain('handlers/shop.public.customers.mjs');
    const handler = ({ files }: Outcome): string => files?.get('handlers/shop.public.customers.mjs') ?? '';
    expect(handler(written)).toBe(handler(typed).replace('from typed.ts', 'from replication.config.yaml'));
    const sourceHash = ({ files }: Outcome): unknown => /sourceHash: (\w+)/.exec(files?.get('plan.yaml') ?? '')?.[1];
    expect(sourceHash(written)).toBe(sourceHash(typed));
  });

  test('onUnique and onException are names of functions, too, for a sync and a table; values are the same bytes as in TypeScript', async () => {
    const rules = `export const rename = ({ later }) => merge({ name: later.database });
export const give = ({ inTheWay, remove }) => retry(...inTheWay.map(({ key }) => remove(key)));
export const wait = () => park();`;
    await writeFile(join(folder, 'rules', 'clashes.ts'), `import { merge, park, retry } from 'sarrio';\n${rules}\n`);
    const yaml = CONFIG.replace(
      '    onConflict: last-update-wins\n',
      '    onConflict: last-update-wins\n    onUnique: keep-latest\n    onException: ./rules/clashes.ts#wait\n',
    );
    const tables = `      - table: public.customers
        onConflict: ./rules/customers.ts#mergeCustomers
        onUnique: ./rules/clashes.ts#rename
        onException: ./rules/clashes.ts#give
      - table: public.notes
        onUnique: [west, east]
`;
    await writeFile(join(folder, 'replication.config.yaml'), `${yaml.slice(0, yaml.indexOf('      - table:'))}${tables}`);
    await writeFile(
      join(folder, 'typed.ts'),
      `import { mergeCustomers } from './rules/customers.ts';
import { give, rename, wait } from './rules/clashes.ts';
export default { databases: { east: { env: 'EAST_URL' }, west: { env: 'WEST_URL' } }, syncs: { shop: { mode: 'multi-master', members: ['east', 'west'],
  onConflict: 'last-update-wins', onUnique: 'keep-latest', onException: wait, tables: [
    { table: 'public.customers', onConflict: mergeCustomers, onUnique: rename, onException: give },
    { table: 'public.notes', onUnique: ['west', 'east'] }] } } };`,
    );
    const [written, typed] = [await compiled('handlers', 'replication.config.yaml', folder), await compiled('handlers', 'typed.ts', folder)];
    expect(said(written)).toEqual(said(typed));
    const files = ({ files: all }: Outcome): readonly string[] => [...(all ?? new Map<string, string>()).keys()];
    expect(files(written)).toEqual(files(typed));
    expect(
      files(written)
        .filter((path) => path.startsWith('handlers/'))
        .sort(),
    ).toEqual([
      'handlers/shop.exception.mjs',
      'handlers/shop.public.customers.exception.mjs',
      'handlers/shop.public.customers.mjs',
      'handlers/shop.public.customers.unique.mjs',
    ]);
    // A handler's file names the config, so its hash is another one; all else is the same.
    const plain = (text: string): string => text.replaceAll(/(fileHash|checksum): \S+/g, '$1').replaceAll('from typed.ts', 'from replication.config.yaml');
    for (const path of files(typed)) expect([path, plain(written.files?.get(path) ?? '')]).toEqual([path, plain(typed.files?.get(path) ?? '')]);
  });

  test.each([
    [
      'a rule by name where only a function is one',
      `${CONFIG}        onException: park\n`,
      "(13,22): error SAR105: syncs.shop.tables[0].onException must be a function, not 'park'",
    ],
    [
      'a handler of unique values that is not exported',
      `${CONFIG}        onUnique: ./rules/customers.ts#other\n`,
      '(13,19): error SAR280: ./rules/customers.ts exports no function or constant other',
    ],
    [
      'a handler that is not exported',
      CONFIG.replace('#mergeCustomers', '#other'),
      '(12,21): error SAR280: ./rules/customers.ts exports no function or constant other',
    ],
    ['a module that is not there', CONFIG.replace('customers.ts#', 'no.ts#'), '(12,21): error SAR280: there is no module ./rules/no.ts'],
    ['a mistake of syntax', CONFIG.replace('[east, west]', '[east, west'), /\(\d+,\d+\): error SAR101: the config cannot be read: /],
    ['a key that is there twice', `${CONFIG}syncs: {}\n`, '(13,1): error SAR101: the config cannot be read: Map keys must be unique'],
    ['a tag', CONFIG.replace('last-update-wins', '!!js/function "x"'), '(9,17): error SAR101: the config cannot be read: '],
    ['an unknown key', CONFIG.replace('    members:', '    membres:'), "(8,5): error SAR103: unknown key 'membres'"],
    ['a wrong value', CONFIG.replace('multi-master', 'multimaster'), "(7,11): error SAR105: syncs.shop.mode must be 'one-way'"],
    ['a star without quotes', CONFIG.replace('last-update-wins', '*.orders'), '(9,17): error SAR101: the config cannot be read: *.orders refers to nothing'],
    ['an alias of itself', 'a: &a\n  b: *a\n', '(1,1): error SAR101: the config cannot be read: an alias contains itself'],
    ['nothing', '', '(1,1): error SAR101: the config cannot be read: the file is empty'],
  ])('%s is told with its place', async (_, text, expected) => {
    const faults = await faultsOf(text);
    expect(faults.join('\n')).toMatch(typeof expected === 'string' ? new RegExp(expected.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')) : expected);
  });

  test('CRLF is the same', async () => {
    expect(await faultsOf(CONFIG.replaceAll('\n', '\r\n'))).toEqual([]);
    expect((await faultsOf(CONFIG.replace('multi-master', 'multimaster').replaceAll('\n', '\r\n'))).join()).toContain('replication.config.yaml(7,11)');
  });
});
