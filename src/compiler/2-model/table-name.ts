import type { QualifiedName } from '../../sql/quote.ts';

/** A name in the config as it was meant: one table, or all tables of one schema whose names fit a pattern. */
export type TableName =
  | { readonly kind: 'exact'; readonly name: QualifiedName }
  | { readonly kind: 'pattern'; readonly schema: string; readonly matches: (table: QualifiedName) => boolean }
  | { readonly kind: 'fault'; readonly message: string };

type Part = { readonly text: string; readonly isQuoted: boolean };

/** Reads `schema.table`. Parts are case-exact; a part in double quotes may hold dots and stars, and `""` for a quote. */
export function parseTableName(text: string): TableName {
  const parts = splitParts(text);
  if (parts === null) return { kind: 'fault', message: `'${text}' is not a table name: a double quote is not closed or not at an end` };
  const [schema, name, ...more] = parts;
  if (!schema?.text || !name?.text || more.length > 0) {
    return { kind: 'fault', message: `'${text}' is not a table name: it must have a schema and a name, as in 'public.orders'` };
  }
  if (hasStar(schema)) return { kind: 'fault', message: `'${text}' has a star in the schema: a pattern belongs to one schema, as in 'public.*'` };
  if (!hasStar(name)) return { kind: 'exact', name: { schema: schema.text, name: name.text } };
  const pattern = patternOf(name.text);
  return { kind: 'pattern', schema: schema.text, matches: (table) => table.schema === schema.text && pattern.test(table.name) };
}

function hasStar(part: Part): boolean {
  return !part.isQuoted && part.text.includes('*');
}

function patternOf(text: string): RegExp {
  const pieces = text.split('*').map((piece) => piece.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${pieces.join('.*')}$`, 's');
}

/** Null when the quotes do not fit. */
function splitParts(text: string): readonly Part[] | null {
  const parts: Part[] = [];
  const part = /(?:"((?:[^"]|"")*)"|([^".]*))(\.|$)/sy;
  while (part.lastIndex <= text.length) {
    const match = part.exec(text);
    if (!match) return null;
    const [, quoted, bare = '', end] = match;
    parts.push(quoted === undefined ? { text: bare, isQuoted: false } : { text: quoted.replaceAll('""', '"'), isQuoted: true });
    if (end === '') return parts;
  }
  return parts;
}
