/** A finished piece of SQL text. Only the functions of this room make one, so that text from outside cannot become SQL by accident. */
export type Sql = Chunk & {
  readonly kind: 'sql';
  readonly text: string;
  /** Whether a line of `marked` ends with a blank. */
  readonly trails: boolean;
};

/** A text, and what has to be known of it where it is put together with others: a plan of a thousand tables is made of a million. */
type Chunk = {
  /** The text with `KEPT` for line breaks after which nothing may be indented. */
  readonly marked: string;
  /** Where its last line begins; 0 when it has one alone. */
  readonly lastLine: number;
  /** How many spaces that one begins with. */
  readonly margin: number;
  readonly startsLine: boolean;
  readonly endsBlank: boolean;
};

/** No SQL text can hold it. */
const KEPT = '\0';

const SPACE = 0x20;
const TAB = 0x09;
const LINE_FEED = 0x0a;

function chunkOf(marked: string): Chunk {
  const lastLine = marked.lastIndexOf('\n') + 1;
  let end = lastLine;
  while (marked.charCodeAt(end) === SPACE) end += 1;
  const last = marked.charCodeAt(marked.length - 1);
  return { marked, lastLine, margin: end - lastLine, startsLine: marked.charCodeAt(0) === LINE_FEED, endsBlank: last === SPACE || last === TAB };
}

function make(marked: string, isTrimmed = false): Sql {
  const chunk = chunkOf(marked);
  const trails = !isTrimmed && (chunk.endsBlank || (chunk.lastLine > 0 && /[ \t]\n/.test(marked)));
  const { lastLine, margin, startsLine, endsBlank } = chunk;
  return { kind: 'sql', text: marked.includes(KEPT) ? marked.replaceAll(KEPT, '\n') : marked, marked, lastLine, margin, startsLine, endsBlank, trails };
}

/**
 * Template tag: every placeholder must itself be `Sql`, so that names and values pass through `ident` and `literal`.
 * A placeholder of several lines is indented to the column of the line that it stands in; common leading
 * indentation of the template is removed.
 */
export function sql(strings: TemplateStringsArray, ...values: readonly Sql[]): Sql {
  const pieces = piecesOf(strings);
  let text = '';
  let indent = 0;
  let isMargin = true;
  let endsBlank = false;
  let trails = false;
  for (let index = 0; index < pieces.length + values.length; index += 1) {
    const value = index % 2 === 0 ? undefined : values[(index - 1) / 2];
    const chunk = value ?? pieces[index / 2];
    if (chunk === undefined || chunk.marked === '') continue;
    const { marked, lastLine, margin } = chunk;
    const isIndented = value !== undefined && lastLine > 0 && indent > 0;
    text += isIndented ? marked.replaceAll('\n', `\n${' '.repeat(indent)}`) : marked;
    trails ||= (endsBlank && chunk.startsLine) || value?.trails === true || (isIndented && marked.includes('\n\n'));
    if (lastLine > 0 || isMargin) indent = margin + (isIndented || lastLine === 0 ? indent : 0);
    isMargin = (lastLine > 0 || isMargin) && lastLine + margin === marked.length;
    endsBlank = chunk.endsBlank || (isIndented && lastLine === marked.length);
  }
  return make(trails || endsBlank ? text.replace(/[ \t]+(?=\n|$)/g, '') : text, true);
}

/** Joins pieces with a separator, by default a comma and a line break. */
export function join(pieces: readonly Sql[], separator = ',\n'): Sql {
  return make(pieces.map((piece) => piece.marked).join(separator));
}

/** Makes a piece once for each two texts, for what stands in the statements of every table alike. */
export function byTexts(make: (one: string, other: string) => Sql): (one: string, other: string) => Sql {
  const made = new Map<string, Sql>();
  return (one, other) => {
    const key = JSON.stringify([one, other]);
    const piece = made.get(key) ?? make(one, other);
    made.set(key, piece);
    return piece;
  };
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
const known = new WeakMap<TemplateStringsArray, readonly Chunk[]>();

function piecesOf(strings: TemplateStringsArray): readonly Chunk[] {
  const before = known.get(strings);
  if (before) return before;
  const pieces = dedent(strings).map((piece) => chunkOf(piece.replaceAll(/[ \t]+(?=\n)/g, '')));
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
