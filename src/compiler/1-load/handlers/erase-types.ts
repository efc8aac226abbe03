import { type AsExpression, Node, type NonNullExpression, type ParenthesizedExpression, type SatisfiesExpression, SyntaxKind } from 'ts-morph';

/** Text to be put in place of what stands from `start` to `end` in a module. */
export type Edit = { readonly start: number; readonly end: number; readonly text: string };

/** What has to go from a piece of TypeScript to make it JavaScript, with everything else left as it is written. */
export function typeEdits(root: Node): readonly Edit[] {
  const edits: Edit[] = [];
  const visit = (node: Node): void => {
    for (const [start, end] of erased(node)) edits.push({ start, end, text: '' });
    for (const child of node.getChildren()) visit(child);
  };
  visit(root);
  return edits;
}

type Range = readonly [start: number, end: number];

function erased(node: Node): readonly Range[] {
  const parent = node.getParent();
  if (Node.isInterfaceDeclaration(node) || Node.isTypeAliasDeclaration(node) || isOverload(node)) return [[node.getPos(), node.getEnd()]];
  if (isCast(node)) return [[node.getExpression().getEnd(), node.getEnd()]];
  if (Node.isTypeAssertion(node)) return [[node.getStart(), node.getExpression().getStart()]];
  if (Node.isParenthesizedExpression(node)) return isNeedless(node) ? ends(node) : [];
  if (isAnnotation(node, parent)) return [annotation(node)];
  if (isMark(node) && (Node.isParameterDeclaration(parent) || Node.isVariableDeclaration(parent) || Node.isMethodDeclaration(parent))) {
    return [[node.getStart(), node.getEnd()]];
  }
  return node.getKind() === SyntaxKind.LessThanToken ? typeList(node) : [];
}

function isCast(node: Node): node is AsExpression | SatisfiesExpression | NonNullExpression {
  return Node.isAsExpression(node) || Node.isSatisfiesExpression(node) || Node.isNonNullExpression(node);
}

/** Parentheses that were there for a cast only. */
function isNeedless(node: ParenthesizedExpression): boolean {
  let inner = node.getExpression();
  if (!isCast(inner)) return false;
  while (isCast(inner)) inner = inner.getExpression();
  return Node.isIdentifier(inner) || Node.isPropertyAccessExpression(inner) || Node.isElementAccessExpression(inner) || Node.isCallExpression(inner);
}

function ends(node: Node): readonly Range[] {
  return [
    [node.getStart(), node.getStart() + 1],
    [node.getEnd() - 1, node.getEnd()],
  ];
}

function isAnnotation(node: Node, parent: Node | undefined): boolean {
  if (Node.isParameterDeclaration(parent) || Node.isVariableDeclaration(parent)) return parent.getTypeNode() === node;
  return Node.isReturnTyped(parent) && parent.getReturnTypeNode() === node;
}

/** `: T`, with what stands between it and the name. */
function annotation(type: Node): Range {
  const colon = type.getPreviousSiblingIfKindOrThrow(SyntaxKind.ColonToken);
  return [colon.getPreviousSibling()?.getEnd() ?? colon.getStart(), type.getEnd()];
}

/** `?` and `!` behind a name. */
function isMark(node: Node): boolean {
  return node.getKind() === SyntaxKind.QuestionToken || node.getKind() === SyntaxKind.ExclamationToken;
}

/** `<T>` of a function or a call. */
function typeList(opening: Node): readonly Range[] {
  const closing = opening.getNextSibling()?.getNextSiblingIfKind(SyntaxKind.GreaterThanToken);
  return closing && opening.getNextSibling()?.getKind() === SyntaxKind.SyntaxList ? [[opening.getStart(), closing.getEnd()]] : [];
}

function isOverload(node: Node): boolean {
  return Node.isFunctionDeclaration(node) && !node.hasBody();
}
