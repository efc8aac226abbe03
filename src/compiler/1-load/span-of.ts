import type { ArrayLiteralExpression, Node, ObjectLiteralExpression, SourceFile } from 'ts-morph';
import type { Span } from '../../plan/diagnostic.ts';
import type { ConfigPart, ConfigPath, SpanOf } from './fault.ts';
import { tsMorph } from './ts-morph.ts';

/** Found on the way down: the value, and the name that it stands under. */
type Found = { readonly key: Node; readonly value: Node };

/** Finds values of the config in its source text, which is parsed when the first one is asked for. Reads only this file: what is imported is pointed at where it is used. */
export function spansOf(options: { text: string; file: string }): SpanOf {
  let parsed: { readonly source: SourceFile; readonly root: Node | undefined } | null = null;
  return (path, part = 'value') => {
    parsed ??= parse(options.text);
    const { source, root } = parsed;
    return spanOfNode(root ? find(root, path, part) : source, options.file);
  };
}

function parse(text: string): { readonly source: SourceFile; readonly root: Node | undefined } {
  const { Project } = tsMorph();
  const project = new Project({ useInMemoryFileSystem: true, skipFileDependencyResolution: true });
  const source = project.createSourceFile('config.ts', text);
  return { source, root: rootOf(source) };
}

/** From the first to the last letter of a node, as far as its first line goes. */
export function spanOfNode(node: Node, file: string): Span {
  const source = node.getSourceFile();
  const { line, column } = source.getLineAndColumnAtPos(node.getStart());
  const end = source.getLineAndColumnAtPos(node.getEnd());
  return { file, line, column, ...(end.line === line && end.column > column ? { endColumn: end.column } : {}) };
}

/** What the file exports as its config: by `export default`, `export =` or `module.exports =`. */
export function rootOf(source: SourceFile): Node | undefined {
  const { Node } = tsMorph();
  const exported = source.getExportAssignments()[0]?.getExpression();
  if (exported) return exported;
  const assignments = source.getStatements().flatMap((statement) => {
    const expression = Node.isExpressionStatement(statement) ? statement.getExpression() : undefined;
    return Node.isBinaryExpression(expression) && expression.getLeft().getText() === 'module.exports' ? [expression.getRight()] : [];
  });
  return assignments.at(-1);
}

function find(root: Node, path: ConfigPath, part: ConfigPart): Node {
  const { Node } = tsMorph();
  let found: Found = { key: root, value: root };
  for (const [depth, step] of path.entries()) {
    const next = child(unwrap(found.value), String(step));
    if (!next) return depth === 0 ? found.value : found.key;
    found = next;
  }
  // A whole object or list is pointed at by its name, as tsc does it.
  const isContainer = Node.isObjectLiteralExpression(found.value) || Node.isArrayLiteralExpression(found.value);
  return part === 'key' || isContainer ? found.key : found.value;
}

function child(parent: Node, step: string): Found | null {
  const { Node } = tsMorph();
  if (Node.isObjectLiteralExpression(parent)) return property(parent, step);
  if (Node.isArrayLiteralExpression(parent)) return element(parent, Number(step));
  return null;
}

/** From the last to the first: what is written later wins. */
function property(object: ObjectLiteralExpression, name: string): Found | null {
  const { Node } = tsMorph();
  for (const member of object.getProperties().reverse()) {
    if (Node.isSpreadAssignment(member)) {
      const spread = child(unwrap(member.getExpression()), name);
      if (spread) return spread;
    } else if (Node.isPropertyAssignment(member) && nameOf(member.getNameNode()) === name) {
      return { key: member.getNameNode(), value: member.getInitializerOrThrow() };
    } else if (Node.isShorthandPropertyAssignment(member) && member.getName() === name) {
      return { key: member.getNameNode(), value: member.getNameNode() };
    } else if (Node.isMethodDeclaration(member) && nameOf(member.getNameNode()) === name) {
      return { key: member.getNameNode(), value: member };
    }
  }
  return null;
}

function nameOf(node: Node): string {
  const { Node } = tsMorph();
  if (Node.isComputedPropertyName(node)) return nameOf(unwrap(node.getExpression()));
  return Node.isStringLiteral(node) || Node.isNoSubstitutionTemplateLiteral(node) ? node.getLiteralText() : node.getText();
}

function element(list: ArrayLiteralExpression, index: number): Found | null {
  const { Node } = tsMorph();
  let rest = index;
  for (const item of list.getElements()) {
    if (!Node.isSpreadElement(item)) {
      if (rest === 0) return { key: item, value: item };
      rest -= 1;
      continue;
    }
    const spread = unwrap(item.getExpression());
    if (!Node.isArrayLiteralExpression(spread)) return { key: item, value: item };
    const inside = element(spread, rest);
    if (inside) return inside;
    rest -= spread.getElements().length;
  }
  return null;
}

/** Through casts, helper calls such as `defineReplication(…)`, and names of constants of this file. */
function unwrap(node: Node): Node {
  const { Node } = tsMorph();
  if (Node.isAsExpression(node) || Node.isSatisfiesExpression(node) || Node.isParenthesizedExpression(node)) return unwrap(node.getExpression());
  if (Node.isCallExpression(node)) {
    const argument = node.getArguments()[0];
    return argument && !Node.isStringLiteral(argument) ? unwrap(argument) : node;
  }
  const initializer = Node.isIdentifier(node) ? node.getSourceFile().getVariableDeclaration(node.getText())?.getInitializer() : undefined;
  return initializer ? unwrap(initializer) : node;
}
