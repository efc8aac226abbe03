/** A finished piece of SQL text. Only the functions of this room make one, so that text from outside cannot become SQL by accident. */
export type Sql = Chunk & {
  readonly kind: 'sql';
  readonly text: string;
  /** Whether a line of `marked` may end with a blank. */
  readonly trails: boolean;
  /** Whether `KEPT` stands in `marked`. */
  readonly keeps: boolean;
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

function made({ marked, lastLine, margin, startsLine, endsBlank }: Chunk, trails: boolean, keeps: boolean): Sql {
  return { kind: 'sql', text: keeps ? marked.replaceAll(KEPT, '\n') : marked, marked, lastLine, margin, startsLine, endsBlank, trails, keeps };
}

function make(marked: string): Sql {
  const chunk = chunkOf(marked);
  return made(chunk, chunk.endsBlank || (chunk.lastLine > 0 && /[ \t]\n/.test(marked)), marked.includes(KEPT));
}

/**
 * Template tag: every placeholder must itself be `Sql`, so that names and values pass through `ident` and `literal`.
 * A placeholder of several lines is indented to the column of the line that it stands in; common leading
 * indentation of the template is removed. What has to be known of the whole follows from its parts, since looking at a text that was just put
 * together copies all of it.
 */
export function sql(strings: TemplateStringsArray, ...values: readonly Sql[]): Sql {
  const pieces = piecesOf(strings);
  let text = '';
  let begun = 0;
  let startsLine = false;
  let keeps = false;
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
    if (text === '') startsLine = chunk.startsLine;
    text += isIndented ? marked.split('\n').join(marginOf(indent)) : marked;
    if (lastLine > 0) begun = text.length - (marked.length - lastLine) - (isIndented ? indent : 0);
    keeps ||= value?.keeps === true;
    trails ||= (endsBlank && chunk.startsLine) || value?.trails === true || (isIndented && marked.includes('\n\n'));
    if (lastLine > 0 || isMargin) indent = margin + (isIndented || lastLine === 0 ? indent : 0);
    isMargin = (lastLine > 0 || isMargin) && lastLine + margin === marked.length;
    endsBlank = chunk.endsBlank || (isIndented && lastLine === marked.length);
  }
  if (trails || endsBlank) return made(chunkOf(text.replace(/[ \t]+(?=\n|$)/g, '')), false, keeps);
  return made({ marked: text, lastLine: begun, margin: indent, startsLine, endsBlank: false }, false, keeps);
}

const margins: string[] = [];

function marginOf(indent: number): string {
  margins[indent] ??= `\n${' '.repeat(indent)}`;
  return margins[indent] ?? '';
}

/** Joins pieces with a separator, by default a comma and a line break. */
export function join(pieces: readonly Sql[], separator = ',\n'): Sql {
  const between = chunkOf(separator);
  const meets = between.endsBlank && pieces.some(({ startsLine, marked }) => startsLine || (marked === '' && between.startsLine));
  const chunk = chunkOf(pieces.map(({ marked }) => marked).join(separator));
  return made(
    chunk,
    chunk.endsBlank || meets || pieces.some(({ trails }) => trails),
    pieces.some(({ keeps }) => keeps),
  );
}

/** Makes a piece once for each two texts, for what stands in the statements of every table alike. */
export function byTexts(make: (one: string, other: string) => Sql): (one: string, other: string) => Sql {
  const made = new Map<string, Map<string, Sql>>();
  return (one, other) => {
    const ofOne = made.get(one) ?? new Map<string, Sql>();
    const found = ofOne.get(other);
    if (found !== undefined) return found;
    const piece = make(one, other);
    made.set(one, ofOne.set(other, piece));
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
