import { type BindingElement, Node, type SourceFile, SyntaxKind, VariableDeclarationKind } from 'ts-morph';

/** A name of another module. */
export type Required = { readonly specifier: string; readonly name: string };

/** The module of `require('./rules')`; null for anything else, also for a `require` of the module's own. */
export function requiredModule(node: Node | undefined): string | null {
  if (!Node.isCallExpression(node) || node.getExpression().getText() !== 'require') return null;
  if ((node.getExpression().getSymbol()?.getDeclarations() ?? []).length > 0) return null;
  const [argument] = node.getArguments();
  return Node.isStringLiteral(argument) || Node.isNoSubstitutionTemplateLiteral(argument) ? argument.getLiteralText() : null;
}

/** A name that is declared by `const { take, rank: order } = require('…')` at the top of a module; null for another one. */
function requiredAs(declaration: Node): Required | null {
  if (!Node.isBindingElement(declaration) || declaration.getInitializer() || declaration.getDotDotDotToken()) return null;
  const statement = declaration.getFirstAncestor(Node.isVariableStatement);
  if (!Node.isSourceFile(statement?.getParent()) || statement.getDeclarationKind() !== VariableDeclarationKind.Const) return null;
  const variable = declaration.getParent().getParent();
  const specifier = Node.isVariableDeclaration(variable) ? requiredModule(variable.getInitializer()) : null;
  const name = nameOf(declaration);
  return specifier === null || name === null ? null : { specifier, name };
}

function nameOf(declaration: BindingElement): string | null {
  if (!Node.isObjectBindingPattern(declaration.getParent()) || !Node.isIdentifier(declaration.getNameNode())) return null;
  const property = declaration.getPropertyNameNode() ?? declaration.getNameNode();
  return Node.isIdentifier(property) ? property.getText() : null;
}

/** What a name brings from another module, by `import` or by `require`. */
export function importOf(declaration: Node): Required | null {
  if (!Node.isImportSpecifier(declaration)) return requiredAs(declaration);
  return { specifier: declaration.getImportDeclaration().getModuleSpecifierValue(), name: declaration.getName() };
}

/** What a module of CommonJS exports under a name, as it stands there. Of several the last one counts. */
export function commonExport(file: SourceFile, name: string): Node | undefined {
  let found: Node | undefined;
  for (const statement of file.getStatements()) {
    const assignment = Node.isExpressionStatement(statement) ? statement.getExpression() : undefined;
    if (!Node.isBinaryExpression(assignment) || assignment.getOperatorToken().getKind() !== SyntaxKind.EqualsToken) continue;
    const left = assignment.getLeft().getText();
    if (left === `exports.${name}` || left === `module.exports.${name}`) found = assignment.getRight();
    if (left === 'module.exports') found = propertyOf(assignment.getRight(), name);
  }
  return found;
}

function propertyOf(object: Node, name: string): Node | undefined {
  const property = Node.isObjectLiteralExpression(object) ? object.getProperty(name) : undefined;
  if (Node.isShorthandPropertyAssignment(property)) return property.getNameNode();
  return Node.isPropertyAssignment(property) ? property.getInitializer() : undefined;
}
