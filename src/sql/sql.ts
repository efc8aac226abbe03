/** A finished piece of SQL text. Only the functions of this room make one, so that text from outside cannot become SQL by accident. */
export type Sql = {
  readonly kind: 'sql';
  readonly text: string;
  /** The text with `KEPT` for line breaks after which nothing may be indented. */
  readonly marked: string;
  /** Whether `marked` has line breaks. */
  readonly breaks: boolean;
  /** Whether one of its lines ends with a blank. */
  readonly trails: boolean;
};

/** No SQL text can hold it. */
const KEPT = '\0';

/** Of a text of which nothing is known. */
function make(marked: string): Sql {
  const breaks = marked.includes('\n');
  return made(marked, { breaks, trails: (breaks && TRAILING.test(marked)) || isBlank(marked.charCodeAt(marked.length - 1)), keeps: marked.includes(KEPT) });
}

/** The same four values as `make` would find. A plan of a thousand tables is made of half a million pieces, and looking at each again took most of the time. */
function made(marked: string, { breaks, trails, keeps }: { breaks: boolean; trails: boolean; keeps: boolean }): Sql {
  return { kind: 'sql', text: keeps ? marked.replaceAll(KEPT, '\n') : marked, marked, breaks, trails };
}

const TRAILING = /[ \t]\n/;

/**
 * Template tag: every placeholder must itself be `Sql`, so that names and values pass through `ident` and `literal`.
 * A placeholder of several lines is indented to the column of the line that it stands in; common leading
 * indentation of the template is removed.
 */
export function sql(strings: TemplateStringsArray, ...values: readonly Sql[]): Sql {
  const pieces = piecesOf(strings);
  const parts: string[] = [];
  const known = { breaks: false, trails: false, keeps: false };
  let line = EMPTY_LINE;
  const add = (part: string): void => {
    if (part === '') return;
    const start = part.lastIndexOf('\n') + 1;
    known.breaks ||= start > 0;
    known.trails ||= isBlank(line.last) && part.charCodeAt(0) === LINE_FEED;
    line = lineAfter(line, part, start);
    parts.push(part);
  };
  add(pieces[0] ?? '');
  for (let index = 0; index < values.length; index += 1) {
    const { text, marked, breaks, trails } = values[index] ?? empty;
    const isIndented = breaks && line.indent > 0;
    known.trails ||= trails || (isIndented && marked.includes('\n\n'));
    known.keeps ||= text !== marked;
    add(isIndented ? marked.replaceAll('\n', `\n${' '.repeat(line.indent)}`) : marked);
    add(pieces[index + 1] ?? '');
  }
  const text = parts.join('');
  const trimmed = known.trails || isBlank(line.last) ? text.replace(/[ \t]+(?=\n|$)/g, '') : text;
  return made(trimmed, { ...known, trails: false });
}

/** The last line of a text: the spaces that it begins with, whether it has nothing else yet, and its last character. */
type Line = { readonly indent: number; readonly isBlank: boolean; readonly last: number };

const EMPTY_LINE: Line = { indent: 0, isBlank: true, last: 0 };

/** The last line when `part` follows, in which it begins at `start`. */
function lineAfter(line: Line, part: string, start: number): Line {
  const last = part.charCodeAt(part.length - 1);
  if (start === 0 && !line.isBlank) return { indent: line.indent, isBlank: false, last };
  let end = start;
  while (part.charCodeAt(end) === SPACE) end += 1;
  return { indent: end - start + (start === 0 ? line.indent : 0), isBlank: end === part.length, last };
}

const LINE_FEED = 0x0a;
const SPACE = 0x20;
const TAB = 0x09;

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
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

/** Templates that were met before. */
const known = new WeakMap<TemplateStringsArray, readonly string[]>();

function piecesOf(strings: TemplateStringsArray): readonly string[] {
  const before = known.get(strings);
  if (before) return before;
  const pieces = dedent(strings).map((piece) => piece.replaceAll(/[ \t]+(?=\n)/g, ''));
  known.set(strings, pieces);
  return pieces;
}

function dedent(strings: TemplateStringsArray): readonly string[] {
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
