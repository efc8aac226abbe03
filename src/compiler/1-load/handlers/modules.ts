import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type ArrowFunction, type FunctionDeclaration, type FunctionExpression, Node, Project, type SourceFile, ts, type VariableDeclaration } from 'ts-morph';
import { commonExport, importOf } from './common-js.ts';

/** The config's module and those that its handlers lead to, read when needed and never executed. */
export type Modules = {
  read(path: string): SourceFile | null;
  /** An empty module in the place of a file that is none, for what is imported from there. */
  inPlaceOf(path: string): SourceFile;
  /** The module that a relative import leads to. */
  imported(from: SourceFile, specifier: string): SourceFile | null;
};

/** What an import may lead to: a declaration, or in CommonJS the function of `exports.rank = (row) => …`. */
export type Exported = Declared | ArrowFunction | FunctionExpression;
type Declared = FunctionDeclaration | VariableDeclaration;

export function openModules(): Modules {
  // Names are resolved by the checker, which needs neither libraries nor other files for that.
  const project = new Project({
    skipAddingFilesFromTsConfig: true,
    skipFileDependencyResolution: true,
    compilerOptions: { noLib: true, noResolve: true, types: [], allowJs: true, target: ts.ScriptTarget.ESNext, module: ts.ModuleKind.ESNext },
  });
  const read = (path: string): SourceFile | null => {
    const known = project.getSourceFile(path);
    if (known) return known;
    if (!existsSync(path) || !statSync(path).isFile()) return null;
    return project.createSourceFile(
      path,
      readFileSync(path, 'utf8')
        .replace(/^\uFEFF/, '')
        .replaceAll('\r\n', '\n'),
      { overwrite: true },
    );
  };
  const imported = (from: SourceFile, specifier: string): SourceFile | null => {
    for (const path of pathsOf(join(dirname(from.getFilePath()), specifier))) {
      const found = read(path);
      if (found) return found;
    }
    return null;
  };
  const inPlaceOf = (path: string): SourceFile => project.createSourceFile(`${path}.ts`, '', { overwrite: true });
  return { read, imported, inPlaceOf };
}

/** What `./rules` may mean: with an ending, or the TypeScript file of the JavaScript one that is named. */
function pathsOf(path: string): readonly string[] {
  const endings = ['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs'];
  return [path, path.replace(/\.([cm]?)js$/, '.$1ts'), ...endings.map((ending) => path + ending), ...endings.map((ending) => join(path, `index${ending}`))];
}

/** What a module exports under a name, through re-exports. */
export function exportedAs(modules: Modules, file: SourceFile, name: string): Exported | null {
  const own = topLevel(file, name);
  if (own && isExported(own)) return own;
  for (const declaration of file.getExportDeclarations()) {
    const found = throughDeclaration(modules, file, { declaration, name });
    if (found) return found;
  }
  return throughCommonJs(modules, file, commonExport(file, name));
}

/** A function that stands there, or the name of one; `const { rank } = require('./rank'); module.exports = { rank };` too. */
function throughCommonJs(modules: Modules, file: SourceFile, value: Node | undefined): Exported | null {
  if (Node.isArrowFunction(value) || Node.isFunctionExpression(value)) return value;
  if (!Node.isIdentifier(value)) return null;
  const own = topLevel(file, value.getText());
  if (own) return own;
  const parent = value.getParent();
  const symbol = Node.isShorthandPropertyAssignment(parent) ? parent.getValueSymbol() : value.getSymbol();
  const required = (symbol?.getDeclarations() ?? []).map(importOf).find((each) => each !== null);
  const target = required && modules.imported(file, required.specifier);
  return target ? exportedAs(modules, target, required.name) : null;
}

type Through = { readonly declaration: ReturnType<SourceFile['getExportDeclarations']>[number]; readonly name: string };

function throughDeclaration(modules: Modules, file: SourceFile, { declaration, name }: Through): Exported | null {
  const specifier = declaration.getModuleSpecifierValue();
  const target = specifier === undefined ? file : modules.imported(file, specifier);
  if (!target) return null;
  if (declaration.isNamespaceExport()) return declaration.getNamespaceExport() ? null : exportedAs(modules, target, name);
  const found = declaration.getNamedExports().find((each) => (each.getAliasNode()?.getText() ?? each.getName()) === name);
  if (!found) return null;
  if (specifier !== undefined) return exportedAs(modules, target, found.getName());
  return topLevel(file, found.getName()) ?? throughImport(modules, file, found.getName());
}

/** `import { a } from './x.ts'; export { a };` */
function throughImport(modules: Modules, file: SourceFile, name: string): Exported | null {
  for (const declaration of file.getImportDeclarations()) {
    const found = declaration.getNamedImports().find((each) => (each.getAliasNode()?.getText() ?? each.getName()) === name);
    const target = found && modules.imported(file, declaration.getModuleSpecifierValue());
    if (found && target) return exportedAs(modules, target, found.getName());
  }
  return null;
}

function topLevel(file: SourceFile, name: string): Declared | null {
  const variable = file.getVariableDeclaration((each) => Node.isIdentifier(each.getNameNode()) && each.getName() === name);
  return file.getFunctions().find((each) => each.getName() === name) ?? variable ?? null;
}

function isExported(node: Declared): boolean {
  return Node.isFunctionDeclaration(node) ? node.isExported() && !node.isDefaultExport() : node.isExported();
}
