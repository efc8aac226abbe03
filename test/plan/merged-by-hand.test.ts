import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { compileConfig } from '../../src/compiler/compile.ts';
import type { ReplicationConfig } from '../../src/index.ts';
import { SarrioError } from '../../src/plan/errors.ts';
import { compareGenerated, loadGenerated, writeGenerated } from '../../src/plan/generated-files.ts';
import { readLock } from '../../src/plan/read-lock.ts';
import { readPlan } from '../../src/plan/read-plan.ts';
import { keyed, lockOf } from '../types/lock.ts';

const NAMES = ['a', 'b', 'c'];

type TableEntry = string | { readonly table: string; readonly captureTriggers: 'always' };
/** A table that one of the branches changed, too. */
const ALWAYS = { table: 'public.a', captureTriggers: 'always' } as const;

/** What a branch commits that replicates these tables. */
function branch(...tables: readonly TableEntry[]): ReadonlyMap<string, string> {
  const all = NAMES.map((name) => keyed(name, ['id bigint not null', 'note text']));
  const config: ReplicationConfig = {
    databases: { east: { env: 'EAST_URL' }, west: { env: 'WEST_URL' } },
    syncs: { shop: { mode: 'one-way', source: 'east', targets: ['west'], tables } },
  };
  const place = { file: 'replication.config.ts', line: 1, column: 1 };
  return compileConfig({ config, spanOf: () => place, handlers: new Map() }, lockOf({ east: all, west: all })).files;
}

const refusal = (error: unknown): readonly string[] => {
  if (!(error instanceof SarrioError)) throw error;
  return error.diagnostics.map(({ code }) => code);
};

test('two branches that are merged by hand are one of them, whole, or refused; check calls every merge stale', async () => {
  const [ours, theirs, both] = [branch(ALWAYS, 'public.b'), branch('public.a', 'public.c'), branch(ALWAYS, 'public.b', 'public.c')];
  const paths = [...new Set([...ours.keys(), ...theirs.keys()])].filter((path) => ours.get(path) !== theirs.get(path));
  expect(paths.length).toBeGreaterThan(3);
  const outcomes = { whole: 0, refused: 0 };
  for (let mixture = 0; mixture < 2 ** paths.length; mixture += 1) {
    const merged = new Map([...ours, ...theirs]);
    for (const [index, path] of paths.entries()) {
      const text = (mixture & (1 << index) ? ours : theirs).get(path);
      if (text === undefined) merged.delete(path);
      else merged.set(path, text);
    }
    const dir = await mkdtemp(join(tmpdir(), 'sarrio-merged-'));
    onTestFinished(() => rm(dir, { recursive: true, force: true }));
    await writeGenerated(dir, merged);
    expect((await compareGenerated(dir, both)).written).not.toEqual([]);
    const found = await loadGenerated(dir).catch(refusal);
    if ('plan' in found) {
      const whole = [ours, theirs].filter((each) => each.get('plan.yaml') === merged.get('plan.yaml'));
      expect(whole.some((each) => [...found.files].every(([path, text]) => each.get(path) === text))).toBe(true);
      outcomes.whole += 1;
    } else {
      expect(new Set(found)).toEqual(new Set(['SAR307']));
      outcomes.refused += 1;
    }
  }
  expect(Math.min(outcomes.whole, outcomes.refused)).toBeGreaterThan(0);
});

test.each([
  ['with the marks of a conflict', (text: string) => text.replace('format:', '<<<<<<< ours\nformat:')],
  ['with both sides one after the other', (text: string) => `${text}${text}`],
])('a plan %s is no plan', async (_, change) => {
  const dir = await mkdtemp(join(tmpdir(), 'sarrio-merged-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const files = branch('public.a');
  await writeGenerated(dir, new Map([...files, ['plan.yaml', change(files.get('plan.yaml') ?? '')]]));
  expect((await loadGenerated(dir).catch(refusal)) as readonly string[]).toEqual([expect.stringMatching(/^SAR30\d$/)]);
});

const CONFLICT = ['<<<<<<< HEAD', '  "format": "1.1",', '=======', '  "format": "1.0",', '>>>>>>> theirs'].join('\n');

test.each([
  ['marks of a merge', `{\n  "databases": {},\n${CONFLICT}\n}\n`, 3, 1, 'still has the marks'],
  ['marks of a merge with CRLF', `{\r\n${CONFLICT.replaceAll('\n', '\r\n')}\r\n}\r\n`, 2, 1, 'still has the marks'],
  ['a file that was cut off', '{\n  "format": "1.1",\n  "databases": {', 3, null, 'not readable as JSON'],
  ['a comma too few', '{\n  "format": "1.1"\n  "databases": {}\n}\n', 3, null, 'not readable as JSON'],
])('a schema lock with %s has its place', (_, text, line, column, message) => {
  try {
    readLock(text, 'generated/schema.lock.json');
    expect.unreachable();
  } catch (error) {
    if (!(error instanceof SarrioError)) throw error;
    const [{ code, span, message: said } = { code: '', span: null, message: '' }] = error.diagnostics;
    expect({ code, file: span?.file, line: span?.line }).toEqual({ code: 'SAR302', file: 'generated/schema.lock.json', line });
    if (column !== null) expect(span?.column).toBe(column);
    expect(said).toContain(message);
  }
});

test('a plan with marks of a merge has its place', () => {
  const text =
    branch('public.a').get('plan.yaml')?.replace('project: sarrio\n', '<<<<<<< HEAD\nproject: sarrio\n=======\nproject: other\n>>>>>>> theirs\n') ?? '';
  const line = text.split('\n').indexOf('<<<<<<< HEAD') + 1;
  expect(() => readPlan(text, 'generated/plan.yaml')).toThrow(
    expect.objectContaining({
      diagnostics: [expect.objectContaining({ code: 'SAR302', span: { file: 'generated/plan.yaml', line, column: 1, endColumn: 8 } })],
    }),
  );
});
