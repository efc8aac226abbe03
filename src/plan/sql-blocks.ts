import { hash } from 'node:crypto';

/** One object's statements in a generated SQL file, under its anchor comment. */
export type SqlBlock = { readonly kind: string; readonly name: string; readonly text: string };

const MARK = '-- object: ';
/** A whole line, at its beginning. */
const ANCHOR = /-- object: (\S+) ([^\n\r\u2028\u2029]+)(?:\n|$)/y;
/** Lines that are for psql only. */
const FRAME = /(?:^|(?<=\n))(?:begin|commit);(?:\n|$)/g;

/** The anchor line that opens an object's block. */
export function anchor(object: { kind: string; name: string }): string {
  return `${MARK}${object.kind} ${object.name}`;
}

/** SHA-256 (hex) of a block's text. Line ends and space around the block do not count, so that a CRLF checkout hashes the same. */
export function blockHash(text: string): string {
  return hash('sha256', normal(text), 'hex');
}

/** Splits a generated SQL file at its anchors. What stands before the first anchor and `begin;`/`commit;` lines are for psql only. */
export function readBlocks(file: string): readonly SqlBlock[] {
  const text = file.includes('\r') ? file.replaceAll('\r\n', '\n') : file;
  const anchors = anchorsIn(text);
  return anchors.map(({ kind, name, end }, index) => ({ kind, name, text: normal(withoutFrame(text.slice(end, anchors[index + 1]?.start))) }));
}

type Anchor = { readonly kind: string; readonly name: string; readonly start: number; readonly end: number };

/** Looked for by their first words: to try every place of a thousand files took a tenth of the time of planning. */
function anchorsIn(text: string): readonly Anchor[] {
  const anchors: Anchor[] = [];
  for (let start = text.indexOf(MARK); start >= 0; start = text.indexOf(MARK, start + 1)) {
    if (start > 0 && text[start - 1] !== '\n') continue;
    ANCHOR.lastIndex = start;
    const [line, kind, name] = ANCHOR.exec(text) ?? [];
    if (line !== undefined && kind !== undefined && name !== undefined) anchors.push({ kind, name, start, end: start + line.length });
  }
  return anchors;
}

function withoutFrame(text: string): string {
  return text.includes('begin;') || text.includes('commit;') ? text.replace(FRAME, '') : text;
}

function normal(text: string): string {
  return `${(text.includes('\r') ? text.replaceAll('\r\n', '\n') : text).trim()}\n`;
}
