import { isAbsolute, relative, sep } from 'node:path';
import { Node, type SourceFile } from 'ts-morph';
import type { HandlerRule } from '../../../plan/conflict-rule.ts';
import type { Diagnostic, Span } from '../../../plan/diagnostic.ts';
import { handlerFileHash } from '../../../plan/handler-files.ts';
import type { SpanOf } from '../fault.ts';
import { spanOfNode } from '../span-of.ts';
import { type Closure, closureOf } from './closure.ts';
import { valueAt } from './config-value.ts';
import type { HandlerFault } from './fault.ts';
import { handlerPath } from './file-names.ts';
import { handlerPlaces, type HandlerPlace, type Hook } from './handler-places.ts';
import { unwrapped } from './literals.ts';
import { exportedAs, type Modules, openModules } from './modules.ts';
import { printHandler } from './print-handler.ts';
import { targetOf } from './targets.ts';

/** A function of the config as the plan and `generated/` have it. */
export type ExtractedHandler = { readonly rule: HandlerRule; readonly text: string };

/** By the functions as they stand in the evaluated config. */
export type ExtractedHandlers = ReadonlyMap<unknown, ExtractedHandler>;

export type ExtractOptions = {
  readonly value: unknown;
  readonly path: string;
  readonly cwd: string;
  /** In a config of YAML: where functions stand, and the names that they have there. */
  readonly references?: ReadonlyMap<unknown, string>;
  readonly spanOf?: SpanOf;
};

/** Takes the functions of an evaluated config out of its source. They are read here, never called. */
export function extractHandlers(options: ExtractOptions): { handlers: ExtractedHandlers; faults: readonly Diagnostic[] } {
  const { value, path, cwd } = options;
  const places = handlerPlaces(value);
  const modules = openModules();
  const config = places.length === 0 ? null : options.references ? modules.inPlaceOf(path) : modules.read(path);
  const handlers = new Map<unknown, ExtractedHandler>();
  const faults = new Map<string, Diagnostic>();
  for (const [handler, uses] of config ? groupedByFunction(places) : []) {
    const taken = new Set([...handlers.values()].map(({ rule }) => rule.file));
    const source = config && sourceOf({ modules, config }, { place: uses[0], reference: options.references?.get(handler) });
    const found = source && ('faults' in source ? source : extract({ modules, file: path, taken }, { uses, value: source.value }));
    if (found && 'rule' in found) handlers.set(handler, found);
    // A function that several handlers use is at fault once.
    for (const fault of found && 'faults' in found ? found.faults : []) {
      const isHere = fault.node === config && options.spanOf !== undefined;
      const diagnostic = isHere ? { ...diagnosticOf(fault, cwd), span: options.spanOf?.(uses[0].path) ?? null } : diagnosticOf(fault, cwd);
      faults.set(JSON.stringify(diagnostic), diagnostic);
    }
  }
  return { handlers, faults: [...faults.values()] };
}

function groupedByFunction(places: readonly HandlerPlace[]): ReadonlyMap<unknown, readonly [HandlerPlace, ...HandlerPlace[]]> {
  const groups = new Map<unknown, [HandlerPlace, ...HandlerPlace[]]>();
  for (const place of places) {
    const group = groups.get(place.value);
    if (group) group.push(place);
    else groups.set(place.value, [place]);
  }
  return groups;
}

const WHAT: Readonly<Record<Hook, string>> = {
  onConflict: 'Decides conflicts of',
  onUnique: 'Says what becomes of two rows that hold one unique value, in',
  onException: 'Says what becomes of rows that a member does not take, in',
};

/** `file` is the config's path. */
type Context = { readonly modules: Modules; readonly file: string; readonly taken: ReadonlySet<string> };
type Found = ExtractedHandler | { readonly faults: readonly HandlerFault[] };

type Source = { readonly value: Node } | { readonly faults: readonly HandlerFault[] };

/** Where the text of a handler stands: at its place in the config, or under the name that it refers to. */
function sourceOf(
  { modules, config }: { readonly modules: Modules; readonly config: SourceFile },
  { place, reference }: { place: HandlerPlace; reference?: string | undefined },
): Source {
  if (reference === undefined) {
    const value = valueAt(modules, config, place.path);
    return value ? { value } : { faults: [notFound(config, place)] };
  }
  const [specifier = '', name = ''] = reference.split('#');
  const file = modules.imported(config, specifier);
  const value = file && exportedAs(modules, file, name);
  if (value) return { value };
  const message = file ? `${specifier} exports no function or constant ${name}` : `there is no module ${specifier}`;
  return {
    faults: [
      { code: 'SAR280', message, hint: 'A handler is named as its module, from the place of the config, and its name there: ./rules.ts#decide', node: config },
    ],
  };
}

function extract({ modules, file, taken }: Context, { uses, value }: { uses: readonly [HandlerPlace, ...HandlerPlace[]]; value: Node }): Found {
  const [place] = uses;
  const handler = functionOf(modules, value);
  if ('fault' in handler) return { faults: [handler.fault] };
  const closure = closureOf(modules, handler.node);
  if (closure.faults.length > 0) return { faults: closure.faults };
  const title = `${WHAT[place.hook]} ${uses.map(shownPlace).join('; ')}`;
  const { text, sourceHash, export: name } = printHandler(closure, { title, inline: place.hook, config: file });
  return {
    text,
    rule: {
      strategy: 'handler',
      file: handlerPath(place, taken),
      export: name,
      sourceHash,
      fileHash: handlerFileHash(text),
      ...(asksForCommon(place, closure) ? { common: true } : {}),
    },
  };
}

/** Whether it reads `conflict.common` somewhere, by whatever name the conflict goes there: capture keeps old rows only for those that do. */
function asksForCommon({ hook }: HandlerPlace, { members }: Closure): boolean {
  const isRead = (node: Node): boolean => {
    if (Node.isPropertyAccessExpression(node)) return node.getName() === 'common';
    if (Node.isBindingElement(node)) return (node.getPropertyNameNode()?.getText() ?? node.getName()) === 'common';
    return Node.isElementAccessExpression(node) && /^['"`]common['"`]$/.test(node.getArgumentExpression()?.getText() ?? '');
  };
  return hook === 'onConflict' && members.some(({ node }) => node.getDescendants().some(isRead));
}

function shownPlace({ sync, table }: HandlerPlace): string {
  return table === null ? `sync ${sync}` : `sync ${sync}, table ${table.replaceAll(/\s+/g, ' ')}`;
}

/** The function that a value of the config is: written there, or a name that leads to it. */
function functionOf(modules: Modules, value: Node): { readonly node: Node } | { readonly fault: HandlerFault } {
  if (Node.isFunctionDeclaration(value) && value.hasBody()) return { node: value };
  const isNamed = Node.isVariableDeclaration(value);
  const node = unwrapped(isNamed ? value.getInitializer() : value);
  if (isNamed && (Node.isArrowFunction(node) || Node.isFunctionExpression(node))) return { node: value };
  if (Node.isArrowFunction(node) || Node.isFunctionExpression(node) || Node.isMethodDeclaration(node)) return { node };
  if (!Node.isIdentifier(node)) return { fault: notAFunction(value) };
  const target = targetOf(modules, node, node);
  if (target.kind === 'function') return { node: target.node };
  return { fault: target.kind === 'fault' && target.fault.code === 'SAR283' ? target.fault : notAFunction(value) };
}

const HINT =
  "A handler is written where it is used, as in onConflict: (conflict) => take('east'), or is a function that is named there: one of the config's module, or imported by its name from a relative path.";

function notAFunction(node: Node): HandlerFault {
  return { code: 'SAR280', message: 'this handler is not a function whose text stands in the config or in a module of yours', hint: HINT, node };
}

function notFound(config: SourceFile, place: HandlerPlace): HandlerFault {
  const message = `the text of ${place.hook} of ${shownPlace(place)} cannot be found: that part of the config is made by code`;
  return { code: 'SAR280', message, hint: HINT, node: config };
}

function diagnosticOf({ code, message, hint, node }: HandlerFault, cwd: string): Diagnostic {
  return { code, severity: 'error', message, hint, span: spanOf(node, cwd), where: null };
}

function spanOf(node: Node, cwd: string): Span {
  const path = node.getSourceFile().getFilePath();
  const shown = relative(cwd, path);
  return spanOfNode(node, (isAbsolute(shown) ? path : shown).split(sep).join('/'));
}
