import { type FunctionDeclaration, type Identifier, Node, type SourceFile, type VariableDeclaration, VariableDeclarationKind } from 'ts-morph';
import { importOf, type Required, requiredModule } from './common-js.ts';
import type { HandlerFault } from './fault.ts';
import { isLiteral, unwrapped } from './literals.ts';
import { type Exported, exportedAs, type Modules } from './modules.ts';

/** What a name in a handler stands for. */
export type Target =
  /** Declared in the function that is looked at. */
  | { readonly kind: 'inside' }
  | { readonly kind: 'global' }
  /** `take`, `merge`, … of sarrio itself. */
  | { readonly kind: 'answer'; readonly name: string }
  | { readonly kind: 'function'; readonly node: Exported }
  | { readonly kind: 'constant'; readonly node: VariableDeclaration }
  | { readonly kind: 'fault'; readonly fault: HandlerFault };

/** Exports of sarrio that are answers. */
export const ANSWERS: readonly string[] = ['take', 'merge', 'remove', 'skip', 'retry', 'keep', 'park', 'stop'];

/** @param owner the function or constant in whose text the name stands */
export function targetOf(modules: Modules, owner: Node, name: Identifier): Target {
  const declaration = declarationOf(name);
  if (!declaration || isAmbient(declaration)) return { kind: 'global' };
  if (isWithin(declaration, owner) && !(declaration === owner && isMember(owner))) return { kind: 'inside' };
  const imported = importOf(declaration);
  if (imported) return importedTarget({ modules, from: declaration.getSourceFile(), imported }, name);
  if (Node.isFunctionDeclaration(declaration) && isTopLevel(declaration)) return functionTarget(declaration, name);
  if (Node.isVariableDeclaration(declaration) && isTopLevel(declaration)) return variableTarget(declaration, name);
  return { kind: 'fault', fault: strangerFault(declaration, name) };
}

function declarationOf(name: Identifier): Node | null {
  const parent = name.getParent();
  const symbol = Node.isShorthandPropertyAssignment(parent) ? parent.getValueSymbol() : name.getSymbol();
  const declarations = symbol?.getDeclarations().filter((each) => !Node.isInterfaceDeclaration(each) && !Node.isTypeAliasDeclaration(each)) ?? [];
  return declarations.find((each) => !Node.isFunctionDeclaration(each) || each.hasBody()) ?? declarations[0] ?? null;
}

function isAmbient(declaration: Node): boolean {
  return declaration.getAncestors().some((each) => Node.isAmbientable(each) && each.hasDeclareKeyword()) || declaration.getSourceFile().isDeclarationFile();
}

function isWithin(inner: Node, outer: Node): boolean {
  return inner.getSourceFile() === outer.getSourceFile() && inner.getPos() >= outer.getPos() && inner.getEnd() <= outer.getEnd();
}

/** A declaration of its own, which others may name, too. */
function isMember(owner: Node): boolean {
  return Node.isVariableDeclaration(owner) || Node.isFunctionDeclaration(owner);
}

function isTopLevel(declaration: FunctionDeclaration | VariableDeclaration): boolean {
  const statement = Node.isVariableDeclaration(declaration) ? declaration.getVariableStatement() : declaration;
  return Node.isSourceFile(statement?.getParent());
}

function functionTarget(node: FunctionDeclaration, name: Identifier): Target {
  if (node.hasBody() && !isAmbient(node)) return { kind: 'function', node };
  return fault('SAR283', name, `${name.getText()} is only declared here; its text is elsewhere`, null);
}

function variableTarget(node: VariableDeclaration, name: Identifier): Target {
  const statement = node.getVariableStatement();
  if (statement?.getDeclarationKind() !== VariableDeclarationKind.Const) {
    const hint = 'Make it a constant. A handler cannot remember anything from one conflict to the next.';
    return fault('SAR281', name, `a handler may not use the variable ${name.getText()}, whose value may change`, hint);
  }
  const value = unwrapped(node.getInitializer());
  if (Node.isArrowFunction(value) || Node.isFunctionExpression(value)) return { kind: 'function', node };
  if (value && isLiteral(value)) return { kind: 'constant', node };
  if (requiredModule(value) !== null) return fault('SAR283', name, `a handler may not use ${name.getText()}, which is a whole module`, IMPORT_HINT);
  return fault('SAR282', name, `a handler may not use ${name.getText()}, whose value is made when the config is read`, LITERAL_HINT);
}

const LITERAL_HINT = 'A constant that a handler uses is written out: texts, numbers, true, false, null, and lists and objects of these.';

type Importing = { readonly modules: Modules; readonly from: SourceFile; readonly imported: Required };

function importedTarget({ modules, from, imported }: Importing, name: Identifier): Target {
  const { specifier, name: exported } = imported;
  if (specifier === 'sarrio') {
    if (ANSWERS.includes(exported)) return { kind: 'answer', name: exported };
    return fault('SAR283', name, `a handler may not use ${exported} of sarrio`, `Of sarrio there are ${ANSWERS.join(', ')}.`);
  }
  if (!specifier.startsWith('.')) return fault('SAR283', name, `a handler may not use ${name.getText()} of the package '${specifier}'`, PACKAGE_HINT);
  const file = modules.imported(from, specifier);
  const found = file && exportedAs(modules, file, exported);
  if (!found) return fault('SAR283', name, `${exported} of '${specifier}' is no function or constant that could be found`, IMPORT_HINT);
  if (Node.isVariableDeclaration(found)) return variableTarget(found, name);
  return Node.isFunctionDeclaration(found) ? functionTarget(found, name) : { kind: 'function', node: found };
}

const PACKAGE_HINT = 'The text of a handler must be reviewed with the project: copy the function into a module of your own.';
const IMPORT_HINT =
  "What a handler uses is imported by its name from a relative path, as in: import { rank } from './rank.ts', or const { rank } = require('./rank')";

function strangerFault(declaration: Node, node: Identifier): HandlerFault {
  const name = node.getText();
  if (Node.isNamespaceImport(declaration) || Node.isImportClause(declaration)) {
    return { code: 'SAR283', message: `a handler may not use ${name}, which is not imported by its own name`, hint: IMPORT_HINT, node };
  }
  if (Node.isBindingElement(declaration) && Node.isSourceFile(declaration.getFirstAncestor(Node.isVariableStatement)?.getParent())) {
    return { code: 'SAR282', message: `a handler may not use ${name}, whose value is made when the config is read`, hint: LITERAL_HINT, node };
  }
  if (Node.isClassDeclaration(declaration) || Node.isEnumDeclaration(declaration) || Node.isModuleDeclaration(declaration)) {
    return { code: 'SAR289', message: `a handler may not use ${name}: of what stands beside it, it may use functions and constants`, hint: null, node };
  }
  const hint = 'A handler uses its own parameters and variables, and constants and functions at the top of a module.';
  return { code: 'SAR281', message: `a handler may not use ${name}, which belongs to a function around it`, hint, node };
}

function fault(code: HandlerFault['code'], node: Identifier, message: string, hint: string | null): Target {
  return { kind: 'fault', fault: { code, message, hint, node } };
}
