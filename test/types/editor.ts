import { dirname, join } from 'node:path';
import ts from 'typescript';
import { root } from '../support/build.ts';

export type Editor = {
  readonly path: (name: string) => string;
  /** `line:column message` of everything that is red in a file. */
  readonly faults: (file: string) => readonly string[];
  readonly faultsOfText: (text: string) => readonly string[];
  /** What is offered where `|` stands, sorted. */
  readonly completions: (text: string) => readonly string[];
};

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  lib: ['lib.es2023.d.ts'],
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  types: [],
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  allowImportingTsExtensions: true,
  skipLibCheck: true,
  noEmit: true,
  paths: { sarrio: [join(root, 'src/index.ts')] },
};

/** Files read from disk are parsed once for all editors. */
const registry = ts.createDocumentRegistry();

/** What an editor shows: TypeScript's language service over files that need not stand on disk. */
export function openEditor(given: Readonly<Record<string, string>>, folder = join(root, 'test/types/fixtures')): Editor {
  const path = (name: string): string => join(folder, name);
  const files = new Map(Object.entries(given).map(([name, text]) => [path(name), { text, version: 0 }]));
  const roots = new Set(files.keys());
  const host: ts.LanguageServiceHost = {
    getCompilationSettings: () => OPTIONS,
    getScriptFileNames: () => [...roots],
    getScriptVersion: (file) => String(files.get(file)?.version ?? 0),
    getScriptSnapshot: (file) => {
      const text = files.get(file)?.text ?? ts.sys.readFile(file);
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
    },
    getCurrentDirectory: () => folder,
    getDefaultLibFileName: (options) => ts.getDefaultLibFilePath(options),
    fileExists: (file) => files.has(file) || ts.sys.fileExists(file),
    readFile: (file) => files.get(file)?.text ?? ts.sys.readFile(file),
    directoryExists: (name) => [...files.keys()].some((file) => dirname(file) === name) || ts.sys.directoryExists(name),
  };
  const service = ts.createLanguageService(host, registry);
  const write = (text: string): string => {
    const file = path('config-under-test.ts');
    files.set(file, { text, version: (files.get(file)?.version ?? 0) + 1 });
    roots.add(file);
    return file;
  };
  const faults = (file: string): readonly string[] => {
    roots.add(file);
    return [...service.getSyntacticDiagnostics(file), ...service.getSemanticDiagnostics(file)].map(shown);
  };
  return {
    path,
    faults,
    faultsOfText: (text) => faults(write(text)),
    completions: (text) => {
      const file = write(text.replace('|', ''));
      const found = service.getCompletionsAtPosition(file, text.indexOf('|'), {});
      return (found?.entries ?? []).map(({ name }) => name).sort();
    },
  };
}

function shown({ file, start = 0, messageText }: ts.Diagnostic): string {
  const { line, character } = file ? file.getLineAndCharacterOfPosition(start) : { line: 0, character: 0 };
  return `${line + 1}:${character + 1} ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
}
