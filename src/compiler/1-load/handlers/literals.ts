import { Node, SyntaxKind } from 'ts-morph';

/** Through casts and parentheses. */
export function unwrapped(node: Node | undefined): Node | undefined {
  if (Node.isAsExpression(node) || Node.isSatisfiesExpression(node) || Node.isParenthesizedExpression(node)) return unwrapped(node.getExpression());
  return node;
}

/** Whether a value is written out, so that its text says all. Names in it are looked at like those of functions. */
export function isLiteral(node: Node): boolean {
  if (Node.isAsExpression(node) || Node.isSatisfiesExpression(node) || Node.isParenthesizedExpression(node)) return isLiteral(node.getExpression());
  if (Node.isArrayLiteralExpression(node)) return node.getElements().every(isLiteral);
  if (Node.isObjectLiteralExpression(node)) return node.getProperties().every(isLiteralProperty);
  if (Node.isPrefixUnaryExpression(node)) return SIGNS.has(node.getOperatorToken()) && isLiteral(node.getOperand());
  if (Node.isBinaryExpression(node)) return OPERATORS.has(node.getOperatorToken().getKind()) && isLiteral(node.getLeft()) && isLiteral(node.getRight());
  // Such an expression remembers where it last found something.
  if (Node.isRegularExpressionLiteral(node)) return !/[gy][a-z]*$/.test(node.getText());
  if (Node.isCallExpression(node)) return node.getExpression().getText() === 'Object.freeze' && node.getArguments().every(isLiteral);
  return Node.isIdentifier(node) || PLAIN.has(node.getKind());
}

function isLiteralProperty(node: Node): boolean {
  if (Node.isShorthandPropertyAssignment(node)) return true;
  return Node.isPropertyAssignment(node) && !Node.isComputedPropertyName(node.getNameNode()) && isLiteral(node.getInitializerOrThrow());
}

const PLAIN: ReadonlySet<SyntaxKind> = new Set([
  SyntaxKind.StringLiteral,
  SyntaxKind.NoSubstitutionTemplateLiteral,
  SyntaxKind.NumericLiteral,
  SyntaxKind.BigIntLiteral,
  SyntaxKind.TrueKeyword,
  SyntaxKind.FalseKeyword,
  SyntaxKind.NullKeyword,
]);

const SIGNS: ReadonlySet<SyntaxKind> = new Set([SyntaxKind.PlusToken, SyntaxKind.MinusToken, SyntaxKind.TildeToken]);

const OPERATORS: ReadonlySet<SyntaxKind> = new Set([
  SyntaxKind.PlusToken,
  SyntaxKind.MinusToken,
  SyntaxKind.AsteriskToken,
  SyntaxKind.SlashToken,
  SyntaxKind.PercentToken,
  SyntaxKind.AsteriskAsteriskToken,
]);
