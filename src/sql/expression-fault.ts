/**
 * Why a text cannot be one SQL expression between parentheses, or null. It is not parsed, only read as PostgreSQL's scanner reads it:
 * every quote and comment ends, brackets close what they opened and nothing more, and no statement ends. Such a text cannot reach
 * beyond the parentheses and the line break that it is put between, whatever else it says; the server judges the rest.
 */
export function expressionFault(text: string): string | null {
  const open: string[] = [];
  for (let rest = text; rest !== ''; ) {
    const token = TOKENS.map((each) => each.exec(rest)?.[0] ?? '').find((found) => found !== '') ?? commentOf(rest) ?? rest.slice(0, 1);
    if (/^e$/i.test(token) && rest[1] === "'") return 'a quotation with E in front does not end';
    const fault = token.length === 1 || token === '/*' ? faultAt(token, open) : null;
    if (fault !== null) return fault;
    rest = rest.slice(token.length);
    if (/^e'/i.test(token) && GOES_ON.test(rest)) return 'a quotation with E in front goes on after a break: write it as one';
  }
  const last = open[open.length - 1];
  return last === undefined ? null : `'${last}' is not closed`;
}

/** Whole quotes and comments of one line; whole words, so that a letter or `$` at their end opens nothing. Other prefixes than `E` change nothing in how a quotation ends. */
const TOKENS: readonly RegExp[] = [
  /^[eE]'(?:[^'\\]|\\[\s\S]|'')*'/,
  /^'(?:[^']|'')*'/,
  /^"(?:[^"]|"")*"/,
  /^\$((?:[A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*)?)\$[\s\S]*?\$\1\$/,
  /^[A-Za-z_\u0080-\uffff][A-Za-z0-9_$\u0080-\uffff]*/,
  /^--[^\n\r]*/,
];

/** A quotation that goes on in another line goes on as it began; written in two parts it would be read here as another one. */
const GOES_ON = /^(?:\s|--[^\n\r]*)+'/;

const PAIRS: Readonly<Record<string, string>> = { ')': '(', ']': '[' };

/** A comment that may hold others. Null when none begins here; what is left of the text stays `/*` when it does not end. */
function commentOf(text: string): string | null {
  if (!text.startsWith('/*')) return null;
  let depth = 0;
  for (const mark of text.matchAll(/\/\*|\*\//g)) {
    depth += mark[0] === '/*' ? 1 : -1;
    if (depth === 0) return text.slice(0, mark.index + 2);
  }
  return '/*';
}

/** What a character means that is part of no quote, comment or word. */
function faultAt(token: string, open: string[]): string | null {
  if (token === '(' || token === '[') open.push(token);
  const opening = PAIRS[token];
  if (opening !== undefined && open.pop() !== opening) return `'${token}' closes nothing`;
  if (token === "'" || token === '"') return `a quotation that begins with ${token} does not end`;
  if (token === '/*') return 'a comment does not end';
  if (token === ';') return "';' would end the statement";
  if (token === '\\' || token === '\0') return 'a backslash or NUL stands outside of a quotation';
  return /^\$$/.test(token) ? 'a dollar sign stands outside of a quotation or name' : null;
}
