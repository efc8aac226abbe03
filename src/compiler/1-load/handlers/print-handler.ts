import { createHash } from 'node:crypto';
import { dirname, relative, sep } from 'node:path';
import { type Node, Project, ts } from 'ts-morph';
import { generatedHeader } from '../../../plan/generated-header.ts';
import { type Closure, type ClosureMember, ownName } from './closure.ts';
import { memberText } from './member-text.ts';
import { ANSWERS } from './targets.ts';

/** What stands at the top of a handler's file when it is used, so that the file needs nothing from elsewhere. */
const PRELUDE: Readonly<Record<string, string>> = {
  take: "const take = (database) => ({ kind: 'take', database });",
  merge: "const merge = (values) => ({ kind: 'merge', values });",
  remove: "const remove = () => ({ kind: 'remove' });",
  skip: "const skip = () => ({ kind: 'skip' });",
  retry: "const retry = (...changes) => ({ kind: 'retry', changes });",
  keep: "const keep = (database) => ({ kind: 'keep', database });",
  park: "const park = () => ({ kind: 'park' });",
  stop: "const stop = () => ({ kind: 'stop' });",
  fixed: `// What is constant stays as it is, down to the last value in it.
const fixed = (value) => {
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(fixed);
  return Object.freeze(value);
};`,
};

export type PrintOptions = {
  /** What messages call the handler: `conflicts of sync shop, table public.orders`. */
  readonly title: string;
  /** Name of a handler that has none. */
  readonly inline: string;
  /** The config's path; other modules are named relative to it. */
  readonly config: string;
};

/** A handler's file: text, what it exports, and the hash of what it does. */
export type PrintedHandler = { readonly text: string; readonly export: string; readonly sourceHash: string };

export function printHandler(closure: Closure, options: PrintOptions): PrintedHandler {
  const names = fileNames(closure.members, options.inline);
  const texts = closure.members.map((member) =>
    memberText(member, { own: nameOf(names, member.node), ofReference: (index) => referenceName(names, member, index) }),
  );
  const used = new Set(closure.members.flatMap(({ references }) => references.map(({ target }) => (target.kind === 'answer' ? target.name : ''))));
  const isFixed = texts.some((text) => /^const [^\n=]+ = fixed\(/m.test(text));
  const prelude = [...ANSWERS.filter((name) => used.has(name)), ...(isFixed ? ['fixed'] : [])].map((name) => PRELUDE[name] ?? '');
  const handler = nameOf(names, closure.members.at(-1)?.node);
  const body = [prelude.join('\n'), ...withOrigins(closure.members, texts, options.config)].filter((text) => text !== '').join('\n\n');
  const about = `// ${options.title}. Taken with all that it uses from ${shownModule(options.config, options.config)}; only types are left out.`;
  return {
    text: `${generatedHeader('//')}\n//\n${about}\n\n${body}\n\nexport { ${handler} };\n`,
    export: handler,
    sourceHash: createHash('sha256')
      .update(tokensOf(`${body}\nexport { ${handler} };`))
      .digest('hex'),
  };
}

type Names = ReadonlyMap<Node | string, string>;

/** Every member under its own name, unless another one has it or it would mean something else where the member is used. */
function fileNames(members: readonly ClosureMember[], inline: string): Names {
  const words = new Set(members.flatMap(({ node }) => [...node.getText().matchAll(/[\p{ID_Start}$_][\p{ID_Continue}$]*/gu)].map(([word]) => word)));
  const names = new Map<Node | string, string>([['fixed', 'fixed'], ...ANSWERS.map((name) => [name, name] as const)]);
  const taken = new Set(names.values());
  for (const member of [...members].reverse()) {
    const own = ownName(member, inline);
    const isClear = !taken.has(own) && members.every((user) => meansOnly(user, member, own));
    const name = isClear ? own : freeName(own, (candidate) => taken.has(candidate) || words.has(candidate));
    taken.add(name);
    names.set(member.node, name);
  }
  return names;
}

/** Whether the name can stand in the user's text for the member: it does already, or it does not occur. */
function meansOnly(user: ClosureMember, member: ClosureMember, name: string): boolean {
  const references = user.references.filter(({ target }) => target.kind !== 'answer' && target.node === member.node);
  return (
    references.every(({ node }) => node.getText() === name) ||
    !new RegExp(`(?<![\\p{ID_Continue}$])${escaped(name)}(?![\\p{ID_Continue}$])`, 'u').test(user.node.getText())
  );
}

function escaped(name: string): string {
  return name.replaceAll('$', '\\$');
}

function freeName(name: string, isTaken: (name: string) => boolean): string {
  for (let number = 2; ; number += 1) if (!isTaken(`${name}_${number}`)) return `${name}_${number}`;
}

function nameOf(names: Names, node: Node | string | undefined): string {
  return (node && names.get(node)) ?? '';
}

function referenceName(names: Names, { references }: ClosureMember, index: number): string {
  const target = references[index]?.target;
  return nameOf(names, target?.kind === 'answer' ? target.name : target?.node);
}

/** Above the first of some members of another module stands which one it is. */
function withOrigins(members: readonly ClosureMember[], texts: readonly string[], config: string): readonly string[] {
  const modules = members.map(({ node }) => shownModule(node.getSourceFile().getFilePath(), config));
  const own = shownModule(config, config);
  return texts.map((text, index) => {
    const isNew = modules[index] !== (modules[index - 1] ?? own);
    return isNew ? `// ${modules[index]}\n${text}` : text;
  });
}

function shownModule(path: string, config: string): string {
  return relative(dirname(config), path).split(sep).join('/');
}

/** The words of a text without comments and layout. */
function tokensOf(text: string): string {
  const source = new Project({ useInMemoryFileSystem: true, skipLoadingLibFiles: true }).createSourceFile('handler.js', text).compilerNode;
  const tokens: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isJSDoc(node)) return;
    const children = node.getChildren(source);
    if (children.length === 0) tokens.push(node.getText(source));
    children.forEach(visit);
  };
  visit(source);
  return tokens.join('\n');
}
