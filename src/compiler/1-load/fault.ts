import type { Diagnostic, Severity, Span } from '../../plan/diagnostic.ts';

/** Keys and indexes from the config's top to a value in it, e.g. `['syncs', 'shop', 'tables', 0]`. */
export type ConfigPath = readonly (string | number)[];

/** Which end of `key: value` a fault is about. */
export type ConfigPart = 'key' | 'value';

/** Where a value stands in the config's source; the nearest thing around it when it cannot be found itself. */
export type SpanOf = (path: ConfigPath, part?: ConfigPart) => Span;

/** A diagnostic before its place in the source is known. */
export type Fault = {
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  readonly hint: string | null;
  readonly path: ConfigPath;
  readonly part?: ConfigPart;
};

/** Ordered by place, so that one reads them from top to bottom; each said once. */
export function locate(faults: readonly Fault[], spanOf: SpanOf): readonly Diagnostic[] {
  const diagnostics = faults.map(({ code, severity, message, hint, path, part }): Diagnostic => {
    return { code, severity, message, hint, span: spanOf(path, part), where: null };
  });
  const unique = new Map(diagnostics.map((diagnostic) => [JSON.stringify(diagnostic), diagnostic]));
  return [...unique.values()].sort((left, right) => lineOf(left) - lineOf(right) || columnOf(left) - columnOf(right));
}

const lineOf = (diagnostic: Diagnostic): number => diagnostic.span?.line ?? 0;
const columnOf = (diagnostic: Diagnostic): number => diagnostic.span?.column ?? 0;
