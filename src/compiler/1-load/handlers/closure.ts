import { Node, SyntaxKind, ts } from 'ts-morph';
import type { HandlerFault } from './fault.ts';
import type { Modules } from './modules.ts';
import { type Reference, readFunction } from './read-function.ts';

/** A function or constant that goes into a handler's file. */
export type ClosureMember = {
  /** An inline function of the config, or a declaration at the top of a module. */
  readonly node: Node;
  readonly kind: 'function' | 'constant';
  readonly references: readonly Reference[];
};

/** A handler with all that it uses: what is used comes before what uses it, the handler last. */
export type Closure = { readonly members: readonly ClosureMember[]; readonly faults: readonly HandlerFault[] };

/** Follows a handler to everything that it leads to. */
export function closureOf(modules: Modules, handler: Node): Closure {
  const members: ClosureMember[] = [];
  const faults: HandlerFault[] = [];
  const seen = new Set<Node>();
  const follow = (node: Node, kind: ClosureMember['kind']): void => {
    if (seen.has(node)) return;
    seen.add(node);
    const read = readFunction(modules, node);
    faults.push(...read.faults);
    for (const { node: name, target } of read.references) {
      if (kind === 'constant' && target.kind !== 'constant') faults.push(functionInConstant(name));
      else if (target.kind !== 'answer') follow(target.node, target.kind);
    }
    members.push({ node, kind, references: read.references });
  };
  follow(handler, 'function');
  const isConstant = ({ kind }: ClosureMember): boolean => kind === 'constant';
  return { members: [...members.filter(isConstant), ...members.filter((member) => !isConstant(member))], faults };
}

function functionInConstant(node: Node): HandlerFault {
  const hint = 'A constant that a handler uses is written out: texts, numbers, true, false, null, and lists and objects of these.';
  return { code: 'SAR282', message: `a handler may not use a constant that holds the function ${node.getText()}`, hint, node };
}

/** The name that a member has in its module, or that it is exported by; the handler's own when it stands in the config without one. */
export function ownName({ node }: ClosureMember, inline: string): string {
  if (Node.isVariableDeclaration(node) || Node.isFunctionDeclaration(node)) return node.getName() ?? inline;
  const assigned = node.getParentIfKind(SyntaxKind.BinaryExpression)?.getLeft();
  const name = Node.isPropertyAccessExpression(assigned) ? assigned.getNameNode() : node.getParentIfKind(SyntaxKind.PropertyAssignment)?.getNameNode();
  return Node.isIdentifier(name) && ts.identifierToKeywordKind(name.compilerNode) === undefined ? name.getText() : inline;
}
