import { dirname, join, relative } from 'node:path';
import { Node, Project, type SourceFile, SyntaxKind } from 'ts-morph';
import { expect, test } from 'vitest';
import { root } from './support/build.ts';

/** The house rules of docs/ARCHITECTURE.md as tests. Each lists its offenders. */
const project = new Project({ skipAddingFilesFromTsConfig: true, compilerOptions: { allowImportingTsExtensions: true } });
project.addSourceFilesAtPaths(join(root, 'src/**/*.ts'));
const files = project.getSourceFiles();

type Rule = (file: SourceFile) => readonly string[];

const placeOf = (file: SourceFile): string => relative(root, file.getFilePath());
const offenders = (rule: Rule): string[] => files.flatMap((file) => rule(file).map((what) => `${placeOf(file)}: ${what}`));

/** Imported paths of ours, from the root, and packages as they are written. */
function imports(file: SourceFile): readonly string[] {
  return file.getImportDeclarations().map((each) => {
    const path = each.getModuleSpecifierValue();
    return path.startsWith('.') ? join(dirname(placeOf(file)), path) : path;
  });
}

/** Which rooms a room may import, besides itself. Phases may import earlier phases of their own room. */
const ARROWS: readonly (readonly [room: string, allowed: RegExp])[] = [
  ['src/sql/', /^src\/sql\//],
  ['src/plan/', /^src\/(plan|sql)\//],
  ['src/conflict/', /^src\/(conflict|plan)\//],
  ['src/explain/', /^src\/explain\//],
  ['src/config/', /^src\/(config|conflict|plan)\//],
  ['src/compiler/', /^src\/(compiler|conflict|explain|plan|sql)\/|^src\/index\.ts$/],
  ['src/runner/', /^src\/(runner|conflict|plan|sql)\//],
  ['src/commands/', /^src\/(commands|compiler|conflict|explain|runner|plan|sql)\/|^src\/index\.ts$/],
  ['src/cli.ts', /^src\/(commands|plan)\//],
];

const arrows: Rule = (file) => {
  const room = ARROWS.find(([prefix]) => placeOf(file).startsWith(prefix));
  const phase = Number(/\/(\d+)-/.exec(placeOf(file))?.[1] ?? 99);
  return imports(file)
    .filter((path) => path.startsWith('src/'))
    .filter((path) => (room && !room[1].test(path)) || Number(/\/(\d+)-/.exec(path)?.[1] ?? 0) > phase);
};

/** Each way that comes back to where it began, once. */
function circles(graph: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, way: readonly string[]): void => {
    if (way.includes(file)) found.push([...way.slice(way.indexOf(file)), file].join(' > '));
    if (done.has(file) || way.includes(file)) return;
    for (const next of graph.get(file) ?? []) visit(next, [...way, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  return found;
}

const PACKAGES: Readonly<Record<string, RegExp>> = {
  pg: /^src\/runner\/postgres\//,
  'pg-copy-streams': /^src\/runner\/postgres\//,
  'ts-morph': /^src\/compiler\/1-load\//,
  jiti: /^src\/compiler\/1-load\//,
  ajv: /^src\/(compiler\/1-load|plan)\//,
  yaml: /^src\/compiler\/1-load\/yaml\//,
  'js-yaml': /^src\/plan\//,
  commander: /^src\/(cli\.ts|commands\/)/,
};

const packages: Rule = (file) => imports(file).filter((path) => PACKAGES[path] && !PACKAGES[path].test(placeOf(file)));

const SQL =
  /^\s*(select \S|insert into|update \S+ set|delete from|create (table|function|trigger|index|schema)|alter table|drop |truncate |copy \(|lock table)\b/i;

const sqlElsewhere: Rule = (file) => {
  if (placeOf(file).endsWith('.sql.ts')) return [];
  const texts = [
    ...file.getDescendantsOfKind(SyntaxKind.StringLiteral),
    ...file.getDescendantsOfKind(SyntaxKind.NoSubstitutionTemplateLiteral),
    ...file.getDescendantsOfKind(SyntaxKind.TemplateExpression),
  ];
  return texts.filter((text) => SQL.test(text.getText().slice(1)) && !isExplained(text)).map((text) => text.getText().slice(0, 60));
};

/** What `sarrio explain` shows of a code. */
function isExplained(text: Node): boolean {
  const parent = text.getParent();
  return Node.isPropertyAssignment(parent) && ['summary', 'explanation', 'example', 'cure'].includes(parent.getName());
}

const long: Rule = (file) => (file.getEndLineNumber() > 300 ? [`${file.getEndLineNumber()} lines`] : []);

const longFunctions: Rule = (file) =>
  [...file.getFunctions(), ...file.getDescendantsOfKind(SyntaxKind.MethodDeclaration)]
    .filter((each) => each.getEndLineNumber() - each.getStartLineNumber() + 1 > 60)
    .map((each) => each.getName() ?? 'a function');

const loose: Rule = (file) => [
  ...file.getDescendantsOfKind(SyntaxKind.AnyKeyword).map((each) => `any in line ${each.getStartLineNumber()}`),
  ...file.getDescendantsOfKind(SyntaxKind.NonNullExpression).map((each) => `! in line ${each.getStartLineNumber()}`),
];

/** By its words: the compiler's own answer costs a second of each hundred files. */
function isDefaultExport(statement: Node): boolean {
  return Node.isExportAssignment(statement) || (Node.isModifierable(statement) && statement.hasModifier(SyntaxKind.DefaultKeyword));
}

const defaultExports: Rule = (file) => [
  ...(file.getStatements().some(isDefaultExport) ? ['default export'] : []),
  ...file
    .getExportDeclarations()
    .filter((each) => each.isNamespaceExport())
    .map(() => 'export *'),
];

const processElsewhere: Rule = (file) =>
  /^src\/(cli|runner\/failpoint|explain\/codes\/\w+|compiler\/1-load\/(evaluate-config|read-faults))\.ts$/.test(placeOf(file))
    ? []
    : (file.getFullText().match(/process\.(env|exit|on)\b/g) ?? []);

const clockElsewhere: Rule = (file) =>
  /^src\/(runner\/clock|explain\/codes\/\w+)\.ts$/.test(placeOf(file))
    ? []
    : (file.getFullText().match(/\b(setTimeout\(|setInterval\(|Date\.now\(|Math\.random\()/g) ?? []);

const headers: Rule = (file) => (placeOf(file).endsWith('.sql.ts') && !/purpose:/i.test(file.getFullText()) ? ['no header that says its purpose'] : []);

test.each([
  ['rooms import only what their arrows allow', arrows],
  ['packages are imported only where they belong', packages],
  ['SQL text stands in *.sql.ts only', sqlElsewhere],
  ['every *.sql.ts says its purpose', headers],
  ['no file is longer than 300 lines', long],
  ['no function is longer than 60 lines', longFunctions],
  ['no any, no !', loose],
  ['named exports only', defaultExports],
  ['only the program reads the process', processElsewhere],
  ['only the clock knows the time', clockElsewhere],
] as const)('%s', (_, rule) => {
  expect(offenders(rule)).toEqual([]);
});

test('every file is used', () => {
  const used = new Set(files.flatMap((file) => [...imports(file), ...lazyImports(file)]));
  const unused = files.map(placeOf).filter((path) => !used.has(path) && !/^src\/(cli|index|testing)\.ts$/.test(path));
  expect(unused).toEqual([]);
});

test('no file imports itself by way of others, types included', () => {
  expect(circles(new Map(files.map((file) => [placeOf(file), imports(file)])))).toEqual([]);
});

test('only verbs that compile can execute a config', () => {
  const lazy = new Map(files.map((file) => [placeOf(file), lazyImports(file)]));
  const loads = new Map(files.map((file) => [placeOf(file), [...imports(file), ...lazyImports(file)]]));
  const reached = (from: string, seen = new Set<string>()): ReadonlySet<string> => {
    const next = loads.get(from);
    if (seen.has(from) || !next) return seen;
    seen.add(from);
    for (const path of next) reached(path, seen);
    return seen;
  };
  const loadedLate = new Set([...lazy.values()].flat());
  const verbs = [...loads.keys()].filter((path) => path.startsWith('src/commands/') && loadedLate.has(path));
  const executing = verbs.filter((path) => reached(path).has('src/compiler/1-load/evaluate/evaluator.ts'));
  expect(verbs.length).toBeGreaterThan(15);
  expect(executing).toEqual(['check', 'compile', 'migrate', 'pull'].map((verb) => `src/commands/${verb}.ts`));
});

test('a rule finds what it looks for', () => {
  const bad = project.createSourceFile(
    join(root, 'src/sql/bad.ts'),
    "import { run } from '../runner/8-round/run.ts'; export default 'select 1'; const a: any = run!;",
  );
  expect([arrows, sqlElsewhere, loose, defaultExports].map((rule) => rule(bad).length > 0)).toEqual([true, true, true, true]);
  expect(
    circles(
      new Map([
        ['a', ['b']],
        ['b', ['c', 'd']],
        ['c', ['b']],
      ]),
    ),
  ).toEqual(['b > c > b']);
  project.removeSourceFile(bad);
});

function lazyImports(file: SourceFile): readonly string[] {
  return [...file.getFullText().matchAll(/import\('(\.[^']+)'\)/g)].map((match) => join(dirname(placeOf(file)), match[1] ?? ''));
}
