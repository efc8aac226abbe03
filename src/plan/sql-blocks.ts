import { hash } from 'node:crypto';

/** One object's statements in a generated SQL file, under its anchor comment. */
export type SqlBlock = { readonly kind: string; readonly name: string; readonly text: string };

/** A whole line; split at it, a file gives kind, name and text of each block in turn. */
const ANCHOR = /(?:^|(?<=\n))-- object: (\S+) ([^\n\r\u2028\u2029]+)(?:\n|$)/;
/** Lines that are for psql only. */
const FRAME = /(?:^|(?<=\n))(?:begin|commit);(?:\n|$)/g;

/** The anchor line that opens an object's block. */
export function anchor(object: { kind: string; name: string }): string {
  return `-- object: ${object.kind} ${object.name}`;
}

/** SHA-256 (hex) of a block's text. Line ends and space around the block do not count, so that a CRLF checkout hashes the same. */
export function blockHash(text: string): string {
  return hash('sha256', normal(text), 'hex');
}

/** Splits a generated SQL file at its anchors. What stands before the first anchor and `begin;`/`commit;` lines are for psql only. */
export function readBlocks(file: string): readonly SqlBlock[] {
  const [, ...parts] = (file.includes('\r') ? file.replaceAll('\r\n', '\n') : file).split(ANCHOR);
  const blocks: SqlBlock[] = [];
  for (let index = 0; index < parts.length; index += 3) {
    const [kind = '', name = '', text = ''] = parts.slice(index, index + 3);
    blocks.push({ kind, name, text: normal(text.replace(FRAME, '')) });
  }
  return blocks;
}

function normal(text: string): string {
  return `${(text.includes('\r') ? text.replaceAll('\r\n', '\n') : text).trim()}\n`;
}
