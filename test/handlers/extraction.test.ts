import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { extractHandlers } from '../../src/compiler/1-load/handlers/extract-handlers.ts';
import { handlerPath } from '../../src/compiler/1-load/handlers/file-names.ts';
import { startEvaluator } from '../../src/compiler/1-load/evaluate/evaluator.ts';
import { loadConfig } from '../../src/compiler/1-load/load-config.ts';
import { handlerFileHash } from '../../src/plan/handler-files.ts';
import { merge, remove, skip, take } from '../../src/index.ts';

/** What the golden cases `handlers` and `handler-faults` do not show. */
let folder: string;
const evaluator = startEvaluator();

afterAll(() => evaluator.close());

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sarrio-handlers-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

/** A config whose one handler stands under `onConflict`, with lines above it. */
async function extracted(handler: string, above = '') {
  const text = `import { merge, remove, skip, take } from 'sarrio';\n${above}\nexport default { syncs: { shop: { mode: 'multi-master', onConflict: ${handler} } } };\n`;
  await writeFile(join(folder, 'replication.config.ts'), text);
  const value = { syncs: { shop: { mode: 'multi-master', onConflict: () => null } } };
  const { handlers, faults } = extractHandlers({ value, path: join(folder, 'replication.config.ts'), cwd: folder });
  const [found] = [...handlers.values()];
  const lines = text.split('\n');
  const wordAt = (line: number, column: number): string => /^[\w$.]*/.exec((lines[line - 1] ?? '').slice(column - 1))?.[0] ?? '';
  return { found, faults: faults.map(({ code, span }) => `${code} ${wordAt(span?.line ?? 0, span?.column ?? 0)}`) };
}

const bodyOf = (text: string | undefined): string => (text ?? '').split('\n').slice(5).join('\n');

async function goldenFiles(cwd: string): Promise<readonly string[]> {
  const { handlers } = await loadConfig({ path: 'replication.config.ts', cwd, evaluator });
  return [...handlers.values()].map(({ text }) => text);
}

describe('the file of a handler', () => {
  test('is the same on every machine: for another folder and for CRLF sources', async () => {
    const first = await goldenFiles('test/cases/handlers');
    await cp('test/cases/handlers', folder, { recursive: true });
    for (const file of ['replication.config.ts', 'rules/customers.ts', 'rules/texts.ts']) {
      const text = await readFile(join(folder, file), 'utf8');
      await writeFile(join(folder, file), `\uFEFF${text.replaceAll('\n', '\r\n')}`);
    }
    expect(await goldenFiles(folder)).toEqual(first);
    expect(first).toHaveLength(4);
  });

  test.each([
    ["(conflict) => take(conflict.common ? 'east' : 'west')", true],
    ["(conflict) => take(conflict?.['common'] ? 'east' : 'west')", true],
    ["({ common }) => take(common ? 'east' : 'west')", true],
    ["({ common: last }) => take(last ? 'east' : 'west')", true],
    ['(conflict) => take(asks(conflict))', true],
    ["(conflict) => take('common')", undefined],
    ['(common) => take(common.latest.database)', undefined],
  ] as const)('says whether it asks for the last common row: %s', async (handler, expected) => {
    const { found, faults } = await extracted(handler, "const asks = ({ common }) => (common ? 'east' : 'west');");
    expect([found?.rule.common, faults]).toEqual([expected, []]);
  });

  test('has hashes of its bytes and of what it does', async () => {
    const plain = await extracted("(conflict) => take('east')");
    const laidOut = await extracted("(conflict) =>\n  // always\n  take( 'east' )");
    const other = await extracted("(conflict) => take('west')");
    expect(plain.found?.rule.fileHash).toBe(handlerFileHash(plain.found?.text ?? ''));
    expect(laidOut.found?.rule.sourceHash).toBe(plain.found?.rule.sourceHash);
    expect(laidOut.found?.rule.fileHash).not.toBe(plain.found?.rule.fileHash);
    expect(other.found?.rule.sourceHash).not.toBe(plain.found?.rule.sourceHash);
  });

  test.each([
    ['(c: unknown) => skip()', '(c) => skip()'],
    ['function (this_: string, b?: number): void { skip<object>(); }', 'function (this_, b) { skip(); }'],
    ['<T,>(c: T) => ({ kind: c } as const satisfies object)', '(c) => ({ kind: c })'],
    [
      '(c) => {\n  type A = 1;\n  interface B { a: A }\n  const b = c as unknown as B;\n  return merge({ a: b!.a });\n}',
      '(c) => {\n  const b = c;\n  return merge({ a: b.a });\n}',
    ],
    [
      '(c) => { let n!: number; n = (c.key as { id: number }).id; return n > 1 ? skip() : remove(); }',
      '(c) => { let n; n = c.key.id; return n > 1 ? skip() : remove(); }',
    ],
    ['(c) => take(`${(c.table as string)}:\n    x`)', '(c) => take(`${c.table}:\n    x`)'],
    ['function again(c): unknown { return c ? again(null) : skip(); }', 'function again(c) { return c ? again(null) : skip(); }'],
    ['(c) => { outer: for (const { row: r = null } of c.versions) { if (r) continue outer; break outer; } return skip(); }', null],
  ])('%s keeps all but its types', async (handler, expected) => {
    const { found, faults } = await extracted(handler);
    expect(faults).toEqual([]);
    expect(bodyOf(found?.text)).toContain(`const onConflict = ${expected ?? handler};\n\nexport { onConflict };\n`);
  });

  test('has sarrio’s own answers as they are', async () => {
    const { found } = await extracted("() => [take('a'), merge({ b: 1 }), remove(), skip()]");
    const module = `data:text/javascript,${encodeURIComponent(found?.text ?? '')}`;
    const { onConflict } = (await import(/* @vite-ignore */ module)) as { onConflict: () => unknown };
    expect(onConflict()).toEqual([take('a'), merge({ b: 1 }), remove(), skip()]);
  });

  test('may use constants of constants, functions that use each other, and nothing that is shadowed', async () => {
    const above = `const A = { b: [1, -2, 'c', null, true], d: /x/i } as const;\nconst ALL = [A, 60 * 60, 10n] as const;
const even = (n: number): boolean => n === 0 || odd(n - 1);\nfunction odd(n: number): boolean { return n !== 0 && even(n - 1); }`;
    const { found, faults } = await extracted('(Date) => (even(Date.versions.length + ALL.length) ? skip() : remove())', above);
    expect(faults).toEqual([]);
    expect(bodyOf(found?.text)).toContain("const A = fixed({ b: [1, -2, 'c', null, true], d: /x/i });\n\nconst ALL = fixed([A, 60 * 60, 10n]);");
  });
});

describe('what is refused', () => {
  test.each([
    ['(c) => (ALL.length = 0)', 'const ALL = [1];', 'SAR288 ALL.length'],
    ['(c) => { [ALL[0]] = [2]; }', 'const ALL = [1];', 'SAR288 ALL'],
    ['(c) => { for (ALL.x of [2]); }', 'const ALL = { x: 1 };', 'SAR288 ALL.x'],
    ['(c) => { delete ALL.x; ALL.x++; --ALL.x; }', 'const ALL = { x: 1 };', 'SAR288 ALL.x SAR288 ALL.x SAR288 ALL.x'],
    ['(c) => { leak = 1; }', '', 'SAR288 leak'],
    ['(c) => AGAIN.test(c.table)', 'const AGAIN = /x/g;', 'SAR282 AGAIN.test'],
    ['(c) => RULES.one(c)', 'const rule = () => skip();\nconst RULES = { one: rule };', 'SAR282 rule'],
    ['(c) => fetch<string>', '', 'SAR285 fetch'],
    ["(c) => c['constructor']", '', 'SAR287 '],
    ['(c) => { const { __proto__: p } = c; return p; }', '', 'SAR287 __proto__'],
    ['(c) => arguments', '', 'SAR289 arguments'],
    ['(c) => c.versions.map(async () => 1)', '', 'SAR286 async'],
    ['(c) => c.time.toLocaleString()', '', 'SAR284 toLocaleString'],
    ['(c) => [c].map(String, globalThis)', '', 'SAR285 globalThis'],
    ['(c) => missing(c)', "import { missing } from './missing.ts';", 'SAR283 missing'],
    ['(c) => later(c)', 'declare function later(c: unknown): void;', 'SAR283 later'],
    ['somewhere.handler', 'const somewhere = { handler: () => skip() };', 'SAR280 somewhere.handler'],
    ['take', '', 'SAR280 take'],
  ])('%s', async (handler, above, expected) => {
    expect((await extracted(handler, above)).faults.join(' ')).toBe(expected);
  });

  test('a part of the config that may be another function than the one that is written', async () => {
    expect((await extracted('() => skip(), ...rest', 'const rest = Object.create(null);')).faults).toEqual(['SAR280 import']);
  });
});

test('names of files are readable where that is safe, and never meet', () => {
  const taken = new Set<string>();
  const named = (sync: string, table: string | null, index = 0): string => {
    const path = handlerPath({ sync, table, index }, taken);
    taken.add(path);
    return path;
  };
  expect(named('shop', null)).toBe('handlers/shop.mjs');
  expect(named('shop', 'public.orders')).toBe('handlers/shop.public.orders.mjs');
  const odd = [
    named('Shop', null),
    named('shop', 'public.Orders'),
    named('shop', 'public.*'),
    named('shop', 'public.a/../b'),
    named('shop', 'public.orders', 2),
  ];
  for (const path of odd) expect(path).toMatch(/^handlers\/[a-z0-9_.-]+-[0-9a-f]{8}\.mjs$/);
  expect(taken.size).toBe(7);
});
