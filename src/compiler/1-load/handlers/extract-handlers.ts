import { isAbsolute, relative, sep } from 'node:path';
import { Node, type SourceFile } from 'ts-morph';
import type { HandlerRule } from '../../../plan/conflict-rule.ts';
import type { Diagnostic, Span } from '../../../plan/diagnostic.ts';
import { handlerFileHash } from '../../../plan/handler-files.ts';
import type { ConfigPath } from '../fault.ts';
import { closureOf } from './closure.ts';
import { valueAt } from './config-value.ts';
import type { HandlerFault } from './fault.ts';
import { handlerPath } from './file-names.ts';
import { handlerPlaces, type HandlerPlace } from './handler-places.ts';
import { unwrapped } from './literals.ts';
import { type Modules, openModules } from './modules.ts';
import { printHandler } from './print-handler.ts';
import { targetOf } from './targets.ts';

/** A function of the config as the plan and `generated/` have it. */
export type ExtractedHandler = { readonly path: ConfigPath; readonly rule: HandlerRule; readonly text: string };

export type Extraction = { readonly handlers: readonly ExtractedHandler[]; readonly diagnostics: readonly Diagnostic[] };

/** Takes the functions of an evaluated config out of its source. They are read here, never called. */
export function extractHandlers(options: { value: unknown; path: string; cwd: string }): Extraction {
  const { value, path, cwd } = options;
  const places = handlerPlaces(value);
  const modules = openModules();
  const config = places.length > 0 ? modules.read(path) : null;
  if (!config) return { handlers: [], diagnostics: [] };
  const handlers: ExtractedHandler[] = [];
  const diagnostics = new Map<string, Diagnostic>();
  for (const place of places) {
    const found = extract({ modules, config, taken: new Set(handlers.map(({ rule }) => rule.file)) }, place);
    if ('rule' in found) handlers.push(found);
    else for (const fault of found.faults) add(diagnostics, diagnosticOf(fault, cwd));
  }
  return { handlers, diagnostics: [...diagnostics.values()] };
}

/** A function that several handlers use is at fault once. */
function add(diagnostics: Map<string, Diagnostic>, diagnostic: Diagnostic): void {
  diagnostics.set(JSON.stringify(diagnostic), diagnostic);
}

type Context = { readonly modules: Modules; readonly config: SourceFile; readonly taken: ReadonlySet<string> };

function extract({ modules, config, taken }: Context, place: HandlerPlace): ExtractedHandler | { readonly faults: readonly HandlerFault[] } {
  const value = valueAt(modules, config, place.path);
  if (!value) return { faults: [notFound(config, place)] };
  const handler = functionOf(modules, value);
  if ('fault' in handler) return { faults: [handler.fault] };
  const closure = closureOf(modules, handler.node);
  if (closure.faults.length > 0) return { faults: closure.faults };
  const printed = printHandler(closure, { title: titleOf(place), inline: place.hook, config: config.getFilePath() });
  const file = handlerPath(place, taken);
  const { text, sourceHash } = printed;
  return { path: place.path, text, rule: { strategy: 'handler', file, export: printed.export, sourceHash, fileHash: handlerFileHash(text) } };
}

/** The function that a value of the config is: written there, or a name that leads to it. */
function functionOf(modules: Modules, value: Node): { readonly node: Node } | { readonly fault: HandlerFault } {
  const node = unwrapped(value);
  if (Node.isArrowFunction(node) || Node.isFunctionExpression(node) || Node.isMethodDeclaration(node)) return { node };
  if (!Node.isIdentifier(node)) return { fault: notAFunction(value) };
  const target = targetOf(modules, node, node);
  if (target.kind === 'function') return { node: target.node };
  return { fault: target.kind === 'fault' && target.fault.code === 'SAR263' ? target.fault : notAFunction(value) };
}

const HINT =
  "A handler is written where it is used, as in onConflict: (conflict) => take('east'), or is a function that is named there: one of the config's module, or imported by its name from a relative path.";

function notAFunction(node: Node): HandlerFault {
  return { code: 'SAR260', message: 'this handler is not a function whose text stands in the config or in a module of yours', hint: HINT, node };
}

function notFound(config: SourceFile, { sync, table, hook }: HandlerPlace): HandlerFault {
  const whose = table === null ? `sync ${sync}` : `sync ${sync}, table ${table}`;
  return { code: 'SAR260', message: `the text of ${hook} of ${whose} cannot be found: that part of the config is made by code`, hint: HINT, node: config };
}

function titleOf({ sync, table }: HandlerPlace): string {
  return table === null ? `Decides conflicts of sync ${sync}` : `Decides conflicts of sync ${sync}, table ${table.replaceAll(/\s+/g, ' ')}`;
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
