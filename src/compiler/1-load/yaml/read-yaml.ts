import { readFileSync } from 'node:fs';
import { type Document, LineCounter, parseDocument, visit } from 'yaml';
import type { Span } from '../../../plan/diagnostic.ts';
import { SarrioError } from '../../../plan/errors.ts';
import type { SpanOf } from '../fault.ts';
import { yamlSpans } from './yaml-spans.ts';

export type YamlConfig = {
  /** As it is written, `$schema` left out. */
  readonly value: unknown;
  readonly spanOf: SpanOf;
};

/** A config of YAML. It is data: no tags, no templates, no merged layers. Throws everything that keeps it from being read, with its place. */
export function readYaml({ path, file }: { path: string; file: string }): YamlConfig {
  const lines = new LineCounter();
  const document = parseDocument(readFileSync(path, 'utf8').replace(/^\uFEFF/, ''), {
    lineCounter: lines,
    schema: 'core',
    stringKeys: true,
    prettyErrors: false,
  });
  const spanAt = (offset: number): Span => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  // A tag that is not of YAML itself is a warning.
  refuse([...document.errors, ...document.warnings].map(({ message, pos }) => ({ message, span: spanAt(pos[0]) })));
  refuse(danglingAliases(document).map(({ name, offset }) => ({ message: `*${name} refers to nothing`, span: spanAt(offset), hint: QUOTES })));
  const value = dataOf(document, (message) => refuse([{ message, span: spanAt(0) }]));
  if (value === null || value === undefined) refuse([{ message: 'the file is empty', span: spanAt(0) }]);
  if (typeof value === 'object' && value !== null) Reflect.deleteProperty(value, '$schema');
  return { value, spanOf: yamlSpans(document, { lines, file }) };
}

/** Aliases may repeat a part, but neither contain themselves nor make a small file large. */
function dataOf(document: Document.Parsed, fault: (message: string) => void): unknown {
  try {
    const value: unknown = document.toJS({ maxAliasCount: 100 });
    JSON.stringify(value);
    return value;
  } catch (error) {
    if (!(error instanceof ReferenceError || error instanceof TypeError)) throw error;
    fault(error instanceof ReferenceError ? error.message : 'an alias contains itself');
    return null;
  }
}

/** A name that begins with a star, more often than a name of an anchor. */
function danglingAliases(document: Document.Parsed): readonly { name: string; offset: number }[] {
  const found: { name: string; offset: number }[] = [];
  visit(document, {
    Alias: (_, alias) => {
      if (alias.resolve(document) === undefined) found.push({ name: alias.source, offset: alias.range?.[0] ?? 0 });
    },
  });
  return found;
}

const QUOTES = 'A name with a star, a quote or a colon goes into quotes.';

function refuse(faults: readonly { message: string; span: Span; hint?: string }[]): void {
  if (faults.length === 0) return;
  const diagnostics = faults.map(({ message, span, hint = null }) => {
    return { code: 'SAR101', severity: 'error', message: `the config cannot be read: ${message.split('\n')[0]}`, hint, span, where: null } as const;
  });
  throw new SarrioError({ exit: 'invalid', diagnostics });
}
