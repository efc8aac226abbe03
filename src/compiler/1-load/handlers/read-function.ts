import { type Identifier, Node, SyntaxKind } from 'ts-morph';
import type { HandlerFault } from './fault.ts';
import { globalFault, propertyFault } from './globals.ts';
import type { Modules } from './modules.ts';
import { type Target, targetOf } from './targets.ts';

/** A name in a function's text that stands for something outside of it. */
export type Reference = { readonly node: Identifier; readonly target: Target & { kind: 'answer' | 'function' | 'constant' } };

/** What a function (or constant) uses, and all that is wrong with it. */
export type ReadFunction = { readonly references: readonly Reference[]; readonly faults: readonly HandlerFault[] };

/** Looks at every word of a function, types apart. */
export function readFunction(modules: Modules, owner: Node): ReadFunction {
  const references: Reference[] = [];
  const faults: HandlerFault[] = [];
  const changed = new Set<Node>();
  const visit = (node: Node): void => {
    if (isOnlyType(node)) return;
    faults.push(...syntaxFaults(node));
    for (const root of changedRoots(node)) {
      changed.add(root);
      const target = targetOf(modules, owner, root);
      if (target.kind === 'fault') faults.push(target.fault);
      else if (target.kind !== 'inside') faults.push(changeFault(root));
    }
    if (Node.isIdentifier(node) && isReference(node) && !changed.has(node)) {
      const target = targetOf(modules, owner, node);
      const wrong = target.kind === 'global' ? globalFault(node) : target.kind === 'fault' ? target.fault : null;
      if (wrong) faults.push(wrong);
      if (target.kind === 'answer' || target.kind === 'function' || target.kind === 'constant') references.push({ node, target });
    }
    // What `import.meta` and the like are made of would be said twice.
    if (!Node.isMetaProperty(node)) node.forEachChild(visit);
  };
  visit(owner);
  return { references, faults };
}

function isOnlyType(node: Node): boolean {
  if (Node.isExpressionWithTypeArguments(node)) return false;
  return Node.isTypeNode(node) || Node.isTypeParameterDeclaration(node) || Node.isInterfaceDeclaration(node) || Node.isTypeAliasDeclaration(node);
}

/** Names of properties and labels stand for themselves. */
function isReference(node: Identifier): boolean {
  const parent = node.getParent();
  if (Node.isPropertyAccessExpression(parent)) return parent.getNameNode() !== node;
  if (Node.isPropertyAssignment(parent) || Node.isMethodDeclaration(parent) || Node.isGetAccessorDeclaration(parent) || Node.isSetAccessorDeclaration(parent)) {
    return parent.getNameNode() !== node;
  }
  if (Node.isBindingElement(parent)) return parent.getPropertyNameNode() !== node;
  return !Node.isLabeledStatement(parent) && !Node.isBreakStatement(parent) && !Node.isContinueStatement(parent);
}

function syntaxFaults(node: Node): readonly HandlerFault[] {
  const found = syntaxFault(node);
  return found ? [found] : [];
}

function syntaxFault(node: Node): HandlerFault | null {
  if (Node.isThisExpression(node)) return fault('SAR288', node, 'a handler may not use this', 'What it needs it gets as parameters.');
  if (Node.isMetaProperty(node)) return fault('SAR285', node, `a handler may not use ${node.getText()}`, null);
  if (Node.isAwaitExpression(node) || (Node.isForOfStatement(node) && node.isAwaited())) return fault('SAR286', node, 'a handler may not wait', LATER_HINT);
  if (Node.isAsyncable(node) && node.isAsync()) return fault('SAR286', node.getAsyncKeyword() ?? node, 'a handler may not be asynchronous', LATER_HINT);
  if (Node.isCallExpression(node) && node.getExpression().getKind() === SyntaxKind.ImportKeyword) {
    return fault('SAR286', node, 'a handler may not import while it runs', "Import by name at the top of the module: import { rank } from './rank.ts'");
  }
  if (Node.isClassDeclaration(node) || Node.isClassExpression(node)) return fault('SAR289', node, 'a handler may not define classes', 'Functions do.');
  if (Node.isEnumDeclaration(node) || Node.isModuleDeclaration(node)) return fault('SAR289', node, 'a handler may not define enums or namespaces', null);
  if (Node.isPropertyAccessExpression(node)) return propertyFault(node.getNameNode(), node.getName());
  if (Node.isElementAccessExpression(node)) return keyFault(node.getArgumentExpression());
  if (Node.isBindingElement(node)) return propertyFault(node, node.getPropertyNameNode()?.getText() ?? node.getName());
  return null;
}

const LATER_HINT = 'A handler answers at once: it returns take(…), merge(…), remove() or skip().';

function keyFault(key: Node | undefined): HandlerFault | null {
  return Node.isStringLiteral(key) || Node.isNoSubstitutionTemplateLiteral(key) ? propertyFault(key, key.getLiteralText()) : null;
}

/** The names at the root of what an assignment, `++`, `delete` or a loop changes. */
function changedRoots(node: Node): readonly Identifier[] {
  if (Node.isBinaryExpression(node) && isAssignment(node.getOperatorToken().getKind())) return rootsOf(node.getLeft());
  if (Node.isPostfixUnaryExpression(node)) return rootsOf(node.getOperand());
  if (Node.isPrefixUnaryExpression(node) && COUNTING.has(node.getOperatorToken())) return rootsOf(node.getOperand());
  if (Node.isDeleteExpression(node)) return rootsOf(node.getExpression());
  if (Node.isForOfStatement(node) || Node.isForInStatement(node)) return rootsOf(node.getInitializer());
  return [];
}

const COUNTING: ReadonlySet<SyntaxKind> = new Set([SyntaxKind.PlusPlusToken, SyntaxKind.MinusMinusToken]);

function isAssignment(kind: SyntaxKind): boolean {
  return kind >= SyntaxKind.FirstAssignment && kind <= SyntaxKind.LastAssignment;
}

function rootsOf(node: Node): readonly Identifier[] {
  if (Node.isIdentifier(node)) return [node];
  if (Node.isPropertyAccessExpression(node) || Node.isElementAccessExpression(node) || Node.isParenthesizedExpression(node))
    return rootsOf(node.getExpression());
  if (Node.isAsExpression(node) || Node.isNonNullExpression(node) || Node.isSatisfiesExpression(node)) return rootsOf(node.getExpression());
  if (Node.isArrayLiteralExpression(node)) return node.getElements().flatMap(rootsOf);
  if (Node.isObjectLiteralExpression(node)) return node.getProperties().flatMap(rootsOf);
  if (Node.isPropertyAssignment(node)) return rootsOf(node.getInitializerOrThrow());
  if (Node.isShorthandPropertyAssignment(node)) return [node.getNameNode()];
  if (Node.isSpreadAssignment(node) || Node.isSpreadElement(node)) return rootsOf(node.getExpression());
  return Node.isBinaryExpression(node) ? rootsOf(node.getLeft()) : [];
}

function changeFault(node: Identifier): HandlerFault {
  const hint = 'A handler changes its own variables only. What it leaves behind would decide the next conflict.';
  return { code: 'SAR288', message: `a handler may not change ${node.getText()}, which stands outside of it`, hint, node };
}

function fault(code: HandlerFault['code'], node: Node, message: string, hint: string | null): HandlerFault {
  return { code, message, hint, node };
}
