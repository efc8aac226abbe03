import { isAbsolute, relative, sep } from 'node:path';
import { Node, type SourceFile } from 'ts-morph';
import type { HandlerRule } from '../../../plan/conflict-rule.ts';
import type { Diagnostic, Span } from '../../../plan/diagnostic.ts';
import { handlerFileHash } from '../../../plan/handler-files.ts';
import { closureOf } from './closure.ts';
import { valueAt } from './config-value.ts';
import type { HandlerFault } from './fault.ts';
import { handlerPath } from './file-names.ts';
import { handlerPlaces, type HandlerPlace, type Hook } from './handler-places.ts';
import { unwrapped } from './literals.ts';
import { type Modules, openModules } from './modules.ts';
import { printHandler } from './print-handler.ts';
import { targetOf } from './targets.ts';

/** A function of the config as the plan and `generated/` have it. */
export type ExtractedHandler = { readonly rule: HandlerRule; readonly text: string };

/** By the functions as they stand in the evaluated config. */
export type ExtractedHandlers = ReadonlyMap<unknown, ExtractedHandler>;

/** Takes the functions of an evaluated config out of its source. They are read here, never called. */
export function extractHandlers(options: { value: unknown; path: string; cwd: string }): { handlers: ExtractedHandlers; faults: readonly Diagnostic[] } {
  const { value, path, cwd } = options;
  const places = handlerPlaces(value);
  const modules = openModules();
  const config = places.length > 0 ? modules.read(path) : null;
  const handlers = new Map<unknown, ExtractedHandler>();
  const faults = new Map<string, Diagnostic>();
  for (const [handler, uses] of config ? groupedByFunction(places) : []) {
    const taken = new Set([...handlers.values()].map(({ rule }) => rule.file));
    const found = config && extract({ modules, config, taken }, uses);
    if (found && 'rule' in found) handlers.set(handler, found);
    // A function that several handlers use is at fault once.
    for (const fault of found && 'faults' in found ? found.faults : []) {
      const diagnostic = diagnosticOf(fault, cwd);
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

type Context = { readonly modules: Modules; readonly config: SourceFile; readonly taken: ReadonlySet<string> };
type Found = ExtractedHandler | { readonly faults: readonly HandlerFault[] };

function extract({ modules, config, taken }: Context, uses: readonly [HandlerPlace, ...HandlerPlace[]]): Found {
  const [place] = uses;
  const value = valueAt(modules, config, place.path);
  if (!value) return { faults: [notFound(config, place)] };
  const handler = functionOf(modules, value);
  if ('fault' in handler) return { faults: [handler.fault] };
  const closure = closureOf(modules, handler.node);
  if (closure.faults.length > 0) return { faults: closure.faults };
  const title = `${WHAT[place.hook]} ${uses.map(shownPlace).join('; ')}`;
  const { text, sourceHash, export: name } = printHandler(closure, { title, inline: place.hook, config: config.getFilePath() });
  return { text, rule: { strategy: 'handler', file: handlerPath(place, taken), export: name, sourceHash, fileHash: handlerFileHash(text) } };
}

function shownPlace({ sync, table }: HandlerPlace): string {
  return table === null ? `sync ${sync}` : `sync ${sync}, table ${table.replaceAll(/\s+/g, ' ')}`;
}

/** The function that a value of the config is: written there, or a name that leads to it. */
function functionOf(modules: Modules, value: Node): { readonly node: Node } | { readonly fault: HandlerFault } {
  const node = unwrapped(value);
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
  const source = node.getSourceFile();
  const path = source.getFilePath();
  const { line, column } = source.getLineAndColumnAtPos(node.getStart());
  const shown = relative(cwd, path);
  return { file: (isAbsolute(shown) ? path : shown).split(sep).join('/'), line, column };
}
