/** A finished piece of SQL text. Only the functions of this room make one, so that text from outside cannot become SQL by accident. */
export type Sql = {
  readonly kind: 'sql';
  readonly text: string;
  /** The text with `KEPT` for line breaks after which nothing may be indented. */
  readonly marked: string;
};

/** No SQL text can hold it. */
const KEPT = '\0';

const make = (marked: string): Sql => Object.freeze({ kind: 'sql', text: marked.replaceAll(KEPT, '\n'), marked });

/**
 * Template tag: every placeholder must itself be `Sql`, so that names and values pass through `ident` and `literal`.
 * A placeholder of several lines is indented to the column of the line that it stands in; common leading
 * indentation of the template is removed.
 */
export function sql(strings: TemplateStringsArray, ...values: readonly Sql[]): Sql {
  const pieces = dedent(strings);
  let text = pieces[0] ?? '';
  values.forEach((value, index) => {
    const indent = /(?:^|\n)( *)[^\n]*$/.exec(text)?.[1] ?? '';
    text += value.marked.replaceAll('\n', `\n${indent}`) + (pieces[index + 1] ?? '');
  });
  return make(text.replace(/[ \t]+(?=\n|$)/g, ''));
}

/** Joins pieces with a separator, by default a comma and a line break. */
export function join(pieces: readonly Sql[], separator = ',\n'): Sql {
  return make(pieces.map((piece) => piece.marked).join(separator));
}

/** Text that is SQL already. */
export function dangerousRaw(text: string): Sql {
  return make(text);
}

/**
 * An expression that a person wrote in the config (a row filter, a computed column), between parentheses. The only door for foreign
 * text: its lines stay as they are, since a line break may stand in a literal, and the last one is its own, since it may be a comment.
 */
export function foreignExpression(text: string): Sql {
  return make(`(${text.replaceAll('\n', KEPT)}${KEPT})`);
}

/** Nothing at all, for optional parts. */
export const empty: Sql = make('');

function dedent(strings: TemplateStringsArray): string[] {
  const pieces = [...strings.raw].map((piece) => piece.replaceAll('\\`', '`').replaceAll('\\$', '$').replaceAll('\\\\', '\\'));
  const first = pieces[0];
  if (first === undefined || !first.startsWith('\n')) return pieces;
  const last = pieces.length - 1;
  pieces[last] = (pieces[last] ?? '').replace(/\n *$/, '');
  const indents = pieces.flatMap((piece, index) => indentsOf(index === 0 ? piece : piece.replace(/^[^\n]*/, '')));
  const width = Math.min(...indents);
  const margin = new RegExp(`\\n {0,${Number.isFinite(width) ? width : 0}}`, 'g');
  const dedented = pieces.map((piece) => piece.replace(margin, '\n'));
  dedented[0] = (dedented[0] ?? '').slice(1);
  return dedented;
}

function indentsOf(piece: string): number[] {
  return [...piece.matchAll(/\n( *)(?=[^ \n]|$)/g)].map((match) => (match[1] ?? '').length);
}
