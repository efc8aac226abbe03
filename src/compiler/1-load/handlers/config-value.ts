import { type ArrayLiteralExpression, type Identifier, Node, type ObjectLiteralExpression, type SourceFile, VariableDeclarationKind } from 'ts-morph';
import type { ConfigPath } from '../fault.ts';
import { rootOf } from '../span-of.ts';
import { importOf } from './common-js.ts';
import { unwrapped } from './literals.ts';
import { exportedAs, type Modules } from './modules.ts';

/**
 * The source of a value of the config. Unlike `spansOf`, which only points near it, it must not be wrong: nothing as soon as something on
 * the way is not written out, be it here or in a module that is imported by a relative path.
 */
export function valueAt(modules: Modules, config: SourceFile, path: ConfigPath): Node | undefined {
  let value: Node | undefined = rootOf(config);
  for (const step of path) {
    const parent: Node | undefined = value && written(modules, value);
    if (Node.isObjectLiteralExpression(parent)) value = property(modules, parent, String(step));
    else value = Node.isArrayLiteralExpression(parent) ? elementsOf(modules, parent)?.[Number(step)] : undefined;
  }
  return value;
}

/** Through casts, `defineReplication(…)` and the names of constants. */
function written(modules: Modules, value: Node): Node | undefined {
  const node = unwrapped(value);
  if (Node.isCallExpression(node)) {
    const argument = node.getArguments()[0];
    return argument && node.getExpression().getText() === 'defineReplication' ? written(modules, argument) : undefined;
  }
  if (!Node.isIdentifier(node)) return node;
  const initializer = constantOf(modules, node);
  return initializer && written(modules, initializer);
}

function constantOf(modules: Modules, name: Identifier): Node | undefined {
  const parent = name.getParent();
  const symbol = Node.isShorthandPropertyAssignment(parent) ? parent.getValueSymbol() : name.getSymbol();
  const declaration = symbol?.getDeclarations()[0];
  if (Node.isVariableDeclaration(declaration)) return constantValue(declaration);
  const imported = declaration && importOf(declaration);
  const file = declaration && imported ? modules.imported(declaration.getSourceFile(), imported.specifier) : null;
  const found = file && imported ? exportedAs(modules, file, imported.name) : null;
  return found ? constantValue(found) : undefined;
}

function constantValue(declaration: Node): Node | undefined {
  if (!Node.isVariableDeclaration(declaration)) return undefined;
  const isConstant = declaration.getVariableStatement()?.getDeclarationKind() === VariableDeclarationKind.Const;
  return isConstant ? declaration.getInitializer() : undefined;
}

/** From the last to the first: what is written later wins. */
function property(modules: Modules, object: ObjectLiteralExpression, name: string): Node | undefined {
  for (const member of object.getProperties().reverse()) {
    if (Node.isSpreadAssignment(member)) {
      const spread = written(modules, member.getExpression());
      if (!Node.isObjectLiteralExpression(spread)) return undefined;
      const found = property(modules, spread, name);
      if (found) return found;
      continue;
    }
    const found = nameOf(member.getNameNode());
    if (found === null) return undefined;
    if (found !== name) continue;
    if (Node.isPropertyAssignment(member)) return member.getInitializerOrThrow();
    if (Node.isShorthandPropertyAssignment(member)) return member.getNameNode();
    return Node.isMethodDeclaration(member) ? member : undefined;
  }
  return undefined;
}

/** Null for one that is computed. */
function nameOf(node: Node): string | null {
  if (Node.isComputedPropertyName(node)) return null;
  return Node.isStringLiteral(node) || Node.isNoSubstitutionTemplateLiteral(node) ? node.getLiteralText() : node.getText();
}

function elementsOf(modules: Modules, list: ArrayLiteralExpression): readonly Node[] | null {
  const items: Node[] = [];
  for (const item of list.getElements()) {
    if (!Node.isSpreadElement(item)) {
      items.push(item);
      continue;
    }
    const spread = written(modules, item.getExpression());
    const inside = Node.isArrayLiteralExpression(spread) ? elementsOf(modules, spread) : null;
    if (!inside) return null;
    items.push(...inside);
  }
  return items;
}
