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
  refuse([...document.errors, ...document.warnings].map(({ message, pos }) => ({ message, span: spanAt(pos[0]) })));
  refuse(tagged(document).map(({ tag, offset }) => ({ message: `the tag ${tag} is not known: a config is plain data`, span: spanAt(offset) })));
  const value: unknown = document.toJS({ maxAliasCount: 100 });
  if (value === null || value === undefined) refuse([{ message: 'the file is empty', span: spanAt(0) }]);
  if (typeof value === 'object' && value !== null) Reflect.deleteProperty(value, '$schema');
  return { value, spanOf: yamlSpans(document, { lines, file }) };
}

function tagged(document: Document.Parsed): readonly { tag: string; offset: number }[] {
  const found: { tag: string; offset: number }[] = [];
  visit(document, {
    Node: (_, node) => {
      if ('tag' in node && typeof node.tag === 'string' && !node.tag.startsWith('tag:yaml.org,2002:'))
        found.push({ tag: node.tag, offset: node.range?.[0] ?? 0 });
    },
  });
  return found;
}

function refuse(faults: readonly { message: string; span: Span }[]): void {
  if (faults.length === 0) return;
  const hint = 'A name with a star, a quote or a colon goes into quotes.';
  const diagnostics = faults.map(({ message, span }) => {
    return { code: 'SAR101', severity: 'error', message: `the config cannot be read: ${message.split('\n')[0]}`, hint, span, where: null } as const;
  });
  throw new SarrioError({ exit: 'invalid', diagnostics });
}
