import type { Span } from '../../plan/diagnostic.ts';

/** Longer lines are cut around the place, so that a caret still stands under it. */
const WIDTH = 120;

/** The line at fault with one before it, and carets under what is meant. Null when the text has no such line any more. */
export function codeFrame(text: string, { line, column, endColumn }: Span): string | null {
  const lines = text.split(/\r?\n/);
  const source = lines[line - 1];
  if (source === undefined || column > source.length + 1) return null;
  const from = Math.max(0, Math.min(column - 1 - WIDTH / 2, source.length - WIDTH));
  const gutter = String(line).length;
  const shown = (content: string): string => visible(content.slice(from, from + WIDTH));
  const before = lines[line - 2];
  const length = Math.max(1, Math.min((endColumn ?? column + 1) - column, WIDTH));
  return [
    ...(before === undefined || before.trim() === '' ? [] : [`  ${String(line - 1).padStart(gutter)} | ${shown(before)}`.trimEnd()]),
    `  ${line} | ${shown(source)}`,
    `  ${' '.repeat(gutter)} | ${' '.repeat(Math.max(0, column - 1 - from))}${'^'.repeat(length)}`,
  ].join('\n');
}

/** One column for each letter, and nothing that a terminal would obey. */
function visible(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029]/gu, ' ');
}
