import { type Document, isAlias, isCollection, isMap, isNode, isScalar, isSeq, type LineCounter, type Node } from 'yaml';
import type { ConfigPart, ConfigPath, SpanOf } from '../fault.ts';

type Found = { readonly key: Node; readonly value: Node };

/** Where values stand in a config of YAML; the nearest thing around them when they are not there. */
export function yamlSpans(document: Document.Parsed, { lines, file }: { lines: LineCounter; file: string }): SpanOf {
  return (path, part = 'value') => {
    const node = document.contents ? find(document, document.contents, path, part) : null;
    const [start, end] = node?.range ?? [0, 0];
    const from = lines.linePos(start);
    const to = lines.linePos(end);
    const endColumn = to.line === from.line && to.col > from.col ? { endColumn: to.col } : {};
    return { file, line: Math.max(1, from.line), column: Math.max(1, from.col), ...endColumn };
  };
}

function find(document: Document.Parsed, root: Node, path: ConfigPath, part: ConfigPart): Node {
  let found: Found = { key: root, value: root };
  for (const [depth, step] of path.entries()) {
    const parent = isAlias(found.value) ? found.value.resolve(document) : found.value;
    const next = child(parent, step);
    if (!next) return depth === 0 ? found.value : found.key;
    found = next;
  }
  return part === 'key' || isCollection(found.value) ? found.key : found.value;
}

function child(parent: unknown, step: string | number): Found | null {
  if (isSeq(parent)) {
    const item = parent.items[Number(step)];
    return isNode(item) ? { key: item, value: item } : null;
  }
  const pair = isMap(parent) ? parent.items.find(({ key }) => isScalar(key) && String(key.value) === String(step)) : undefined;
  if (!pair || !isNode(pair.key)) return null;
  return { key: pair.key, value: isNode(pair.value) ? pair.value : pair.key };
}
