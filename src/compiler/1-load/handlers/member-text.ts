import { Node, SyntaxKind, ts, type VariableStatement } from 'ts-morph';
import type { ClosureMember } from './closure.ts';
import { type Edit, typeEdits } from './erase-types.ts';

/** A member as JavaScript: without types, from the left edge, under the names that things have in the handler's file. */
export function memberText(member: ClosureMember, names: { own: string; ofReference: (index: number) => string }): string {
  const { node } = member;
  const renames = member.references.map(({ node: reference }, index) => rename(reference, names.ofReference(index)));
  const edits = [...renames, ...exportEdits(node), ...fixedEdits(member)];
  const typed = declared(node, names.own, edited(node, edits));
  const text = declared(node, names.own, edited(node, [...typeEdits(node), ...edits]));
  // Erasing by place is not a compiler: where the two disagree, the compiler's own text stands in the file.
  const isExact = transpiled(text, { removeComments: true }) === transpiled(typed, { removeComments: true });
  return commentsOf(node) + (isExact ? text : transpiled(typed, { removeComments: false }).trimEnd());
}

function declared(node: Node, own: string, body: string): string {
  if (Node.isFunctionDeclaration(node)) return body;
  if (Node.isMethodDeclaration(node)) return `function ${own}${body.slice(node.getNameNode().getText().length)}`;
  return Node.isVariableDeclaration(node) ? `const ${body};` : `const ${own} = ${body};`;
}

/** Lists and objects are made unchangeable. */
function fixedEdits({ node, kind }: ClosureMember): readonly Edit[] {
  const value = kind === 'constant' && Node.isVariableDeclaration(node) ? node.getInitializerOrThrow() : null;
  if (!value || !/^[[{O(]/.test(value.getText())) return [];
  return [
    { start: value.getStart(), end: value.getStart(), text: 'fixed(' },
    { start: value.getEnd(), end: value.getEnd(), text: ')' },
  ];
}

function rename(node: Node, name: string): Edit {
  const text = Node.isShorthandPropertyAssignment(node.getParent()) && node.getText() !== name ? `${node.getText()}: ${name}` : name;
  return { start: node.getStart(), end: node.getEnd(), text };
}

function exportEdits(node: Node): readonly Edit[] {
  if (!Node.isFunctionDeclaration(node)) return [];
  const keyword = node.getFirstModifierByKind(SyntaxKind.ExportKeyword);
  if (!keyword) return [];
  const rest = node.getSourceFile().getFullText().slice(keyword.getEnd());
  return [{ start: keyword.getStart(), end: keyword.getEnd() + rest.length - rest.trimStart().length, text: '' }];
}

/** The node's text with the edits, moved to the left by what its first line is indented. */
function edited(node: Node, edits: readonly Edit[]): string {
  const all = [...edits, ...indentEdits(node)].sort(
    (left, right) => left.start - right.start || Number(right.start === right.end) - Number(left.start === left.end) || right.end - left.end,
  );
  const full = node.getSourceFile().getFullText();
  let text = '';
  let place = node.getStart();
  for (const { start, end, text: instead } of all) {
    if (start < place) continue;
    text += full.slice(place, start) + instead;
    place = end;
  }
  return text + full.slice(place, node.getEnd());
}

function indentEdits(node: Node): readonly Edit[] {
  const full = node.getSourceFile().getFullText();
  const indent = /^[ \t]*/.exec(full.slice(full.lastIndexOf('\n', node.getStart() - 1) + 1))?.[0] ?? '';
  const texts = templateRanges(node);
  const edits: Edit[] = [];
  for (let at = full.indexOf('\n', node.getStart()); indent !== '' && at >= 0 && at < node.getEnd(); at = full.indexOf('\n', at + 1)) {
    const isText = texts.some(([start, end]) => at >= start && at < end);
    if (!isText && full.startsWith(indent, at + 1)) edits.push({ start: at + 1, end: at + 1 + indent.length, text: '' });
  }
  return edits;
}

/** Where line ends and spaces are part of a value. */
function templateRanges(node: Node): readonly (readonly [start: number, end: number])[] {
  const kinds = [SyntaxKind.NoSubstitutionTemplateLiteral, SyntaxKind.TemplateHead, SyntaxKind.TemplateMiddle, SyntaxKind.TemplateTail] as const;
  const parts = kinds.flatMap((kind): readonly Node[] => node.getDescendantsOfKind(kind));
  return [...(kinds.some((kind) => node.getKind() === kind) ? [node] : []), ...parts].map((part) => [part.getStart(), part.getEnd()]);
}

/** Comments that stand right above a declaration, or above the property or assignment that a function is. */
function commentsOf(node: Node): string {
  const above = Node.isVariableDeclaration(node) ? onlyStatement(node.getVariableStatement()) : ownerOf(node);
  if (!above) return '';
  const full = above.getSourceFile().getFullText();
  let start = above.getStart();
  for (const comment of [...above.getLeadingCommentRanges()].reverse()) {
    if (/\n[ \t]*\n/.test(full.slice(comment.getEnd(), start))) break;
    start = comment.getPos();
  }
  return full
    .slice(start, above.getStart())
    .replaceAll(/^[ \t]+/gm, '')
    .replaceAll(/^\*/gm, ' *');
}

function ownerOf(node: Node): Node {
  const assignment = node.getParentIfKind(SyntaxKind.BinaryExpression);
  return node.getParentIfKind(SyntaxKind.PropertyAssignment) ?? assignment?.getParentIfKind(SyntaxKind.ExpressionStatement) ?? node;
}

function onlyStatement(statement: VariableStatement | undefined): VariableStatement | null {
  return statement && statement.getDeclarations().length === 1 ? statement : null;
}

function transpiled(text: string, { removeComments }: { removeComments: boolean }): string {
  const compilerOptions = { target: ts.ScriptTarget.ESNext, module: ts.ModuleKind.ESNext, removeComments, newLine: ts.NewLineKind.LineFeed };
  return ts.transpileModule(text, { compilerOptions, fileName: 'handler.ts' }).outputText.replace(/^"use strict";\n/, '');
}
