import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { loadConfig } from '../../src/compiler/1-load/load-config.ts';
import { formatDiagnostic } from '../../src/plan/diagnostic.ts';
import { SarrioError } from '../../src/plan/errors.ts';

/** A repository of CommonJS whose one handler is `onConflict`; its handlers' files below their header, or what is wrong. */
async function handlersOf(files: Readonly<Record<string, string>>, onConflict = '(conflict) => take(newest(conflict))'): Promise<readonly string[]> {
  const cwd = await mkdtemp(join(tmpdir(), 'sarrio-common-'));
  onTestFinished(() => rm(cwd, { recursive: true, force: true }));
  const config = `const { defineReplication, env, take } = require('sarrio');
const { newest } = require('./rules');
module.exports = defineReplication({
  databases: { east: env('EAST_URL'), west: env('WEST_URL') },
  syncs: { shop: { mode: 'multi-master', members: ['east', 'west'], tables: ['public.a'], onConflict: ${onConflict} } },
});
`;
  for (const [path, text] of Object.entries({ 'package.json': '{}', 'replication.config.js': config, ...files })) {
    await mkdir(dirname(join(cwd, path)), { recursive: true });
    await writeFile(join(cwd, path), text);
  }
  try {
    const { handlers } = await loadConfig({ path: null, cwd });
    return [...handlers.values()].map(({ text }) => text.split('\n').slice(5).join('\n'));
  } catch (error) {
    if (!(error instanceof SarrioError)) throw error;
    return error.diagnostics.map(formatDiagnostic);
  }
}

const file = (rule: string, name = 'newest'): string => `const take = (database) => ({ kind: 'take', database });

// rules.js
${rule}

// replication.config.js
const onConflict = (conflict) => take(${name}(conflict));

export { onConflict };
`;

test.each([
  [
    'a list of names',
    'function newest(c) {\n  return c.latest.database;\n}\nmodule.exports = { newest };\n',
    'function newest(c) {\n  return c.latest.database;\n}',
  ],
  ['another name', 'const mine = (c) => c.latest.database;\nmodule.exports = { newest: mine };\n', 'const mine = (c) => c.latest.database;', 'mine'],
  ['exports.…', '// By the clock.\nexports.newest = (c) => c.latest.database;\n', '// By the clock.\nconst newest = (c) => c.latest.database;'],
  ['module.exports.…', 'module.exports.newest = function (c) { return c.latest.database; };\n', 'const newest = function (c) { return c.latest.database; };'],
  ['a function in the list', 'module.exports = {\n  newest: (c) => c.latest.database,\n};\n', 'const newest = (c) => c.latest.database;'],
  [
    'with a constant and another function',
    "const HOME = 'east';\nconst home = () => HOME;\nexports.newest = (c) => c.version(home())?.database ?? 'west';\n",
    "const HOME = 'east';\n\nconst home = () => HOME;\n\nconst newest = (c) => c.version(home())?.database ?? 'west';",
  ],
])('a handler takes what it uses along from modules that are required: %s', async (_, rules, expected, name = 'newest') => {
  expect(await handlersOf({ 'rules.js': rules })).toEqual([file(expected, name)]);
});

test('through a module that hands on what it requires', async () => {
  const [text] = await handlersOf({
    'rules/index.js': "const { byClock } = require('./clock.cjs');\nmodule.exports = { newest: byClock };\n",
    'rules/clock.cjs': 'exports.byClock = (c) => c.latest.database;\n',
  });
  expect(text).toContain('// rules/clock.cjs\nconst byClock = (c) => c.latest.database;\n');
});

test.each([
  [
    'a whole module',
    "const rules = require('./other');\nconst newest = (c) => rules.newest(c);",
    'SAR283: a handler may not use rules, which is a whole module',
  ],
  ['a package', "const { basename: newest } = require('node:path');", "SAR283: a handler may not use newest of the package 'node:path'"],
  ['a name with a default', "const { newest = String } = require('./other');", 'SAR282: a handler may not use newest'],
  ['a require of its own', "const require = () => ({ newest: 1 });\nconst { newest } = require('./other');", 'SAR282: a handler may not use newest'],
])('what a handler may not use is named: %s', async (_, above, expected) => {
  const other = 'exports.newest = (c) => c.latest.database;\n';
  const found = await handlersOf({ 'other.js': other, 'rules.js': `${above}\nexports.newest = (c) => newest(c);\n` });
  expect(found.join('\n')).toContain(expected);
});
