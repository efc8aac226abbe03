import { hash } from 'node:crypto';

/** One object's statements in a generated SQL file, under its anchor comment. */
export type SqlBlock = { readonly kind: string; readonly name: string; readonly text: string; readonly hash: string };

const ANCHOR = /^-- object: (\S+) (.+)$/;

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
  const blocks: { kind: string; name: string; lines: string[] }[] = [];
  for (const line of file.split(/\r?\n/)) {
    const match = ANCHOR.exec(line);
    if (match?.[1] && match[2]) blocks.push({ kind: match[1], name: match[2], lines: [] });
    else if (!/^(begin|commit);$/.test(line)) blocks[blocks.length - 1]?.lines.push(line);
  }
  return blocks.map(({ kind, name, lines }) => {
    const text = normal(lines.join('\n'));
    return { kind, name, text, hash: blockHash(text) };
  });
}

function normal(text: string): string {
  return `${(text.includes('\r') ? text.replaceAll('\r\n', '\n') : text).trim()}\n`;
}
