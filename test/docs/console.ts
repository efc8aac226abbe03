/** A document in pieces: prose as it stands, files that it tells people to write, and what a terminal shows. */
export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'file'; readonly path: string; readonly text: string }
  /** `until`: the commands are given again until this is in what they show, since it takes a moment. */
  | { readonly kind: 'console'; readonly commands: readonly Command[]; readonly until: string | null };

export type Command = { readonly line: string; readonly shown: string };

const BLOCK = /^(?:<!-- until: (?<until>.+) -->\n)?```(?<language>ts|yaml|console)\n(?<body>[\s\S]*?)^```\n/gm;

export function piecesOf(document: string): readonly Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  for (const match of document.matchAll(BLOCK)) {
    const { until = null, language, body = '' } = match.groups ?? {};
    pieces.push({ kind: 'text', text: document.slice(at, match.index) });
    const [, path] = /^(?:\/\/|#) file: (\S+)\n/.exec(body) ?? [];
    if (language === 'console') pieces.push({ kind: 'console', commands: commandsOf(body), until });
    else if (path !== undefined) pieces.push({ kind: 'file', path, text: body });
    at = match.index + (language !== 'console' ? 0 : match[0].length);
  }
  return [...pieces, { kind: 'text', text: document.slice(at) }];
}

function commandsOf(body: string): readonly Command[] {
  return body
    .split(/^(?=\$ )/m)
    .filter((part) => part.startsWith('$ '))
    .map((part) => {
      const [line = '', ...shown] = part.split('\n');
      return { line: line.slice('$ '.length), shown: shown.join('\n').trimEnd() };
    });
}

/** The document again, with what was shown. */
export function documentOf(pieces: readonly Piece[]): string {
  return pieces
    .map((piece) => {
      if (piece.kind === 'text') return piece.text;
      if (piece.kind === 'file') return '';
      const lines = piece.commands.map(({ line, shown }) => `$ ${line}\n${shown === '' ? '' : `${shown}\n`}`);
      return `${piece.until === null ? '' : `<!-- until: ${piece.until} -->\n`}\`\`\`console\n${lines.join('')}\`\`\`\n`;
    })
    .join('');
}

/** What is another one each time: hashes, times, process ids, widths that follow from them. */
export function steady(shown: string): string {
  return shown
    .replaceAll(/ running +\S.*/g, ' running <figures>')
    .replaceAll(/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d(?::?\d\d)?)?/g, '<when>')
    .replaceAll(/\b\d{4}-\d\d-\d\d\b/g, '<date>')
    .replaceAll(/backend \d+/g, 'backend <pid>')
    .replaceAll(/\b(?=[0-9a-f]*\d)[0-9a-f]{7,64}\b/g, '<hash>')
    .replaceAll(/\b\d+(?:\.\d+)? ?(?:ms|s|min|rows\/s)\b/g, '<time>')
    .replaceAll(/PostgreSQL \d+/g, 'PostgreSQL <major>')
    .replaceAll(/[ \t]+/g, ' ')
    .replaceAll(/-{3,}/g, '---');
}

/** Rows as psql prints them. */
export function psqlTable(rows: readonly Readonly<Record<string, unknown>>[]): string {
  const columns = Object.keys(rows[0] ?? {});
  const cells = rows.map((row) => columns.map((column) => String(row[column] ?? '')));
  const widths = columns.map((column, place) => Math.max(column.length, ...cells.map((row) => (row[place] ?? '').length)));
  const line = (texts: readonly string[]): string => texts.map((text, place) => ` ${text.padEnd(widths[place] ?? 0)}`).join(' |');
  return [line(columns), widths.map((width) => '-'.repeat(width + 2)).join('+'), ...cells.map(line), `(${rows.length} ${rows.length === 1 ? 'row' : 'rows'})`]
    .map((each) => each.trimEnd())
    .join('\n');
}
