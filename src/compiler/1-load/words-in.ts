import { readFileSync } from 'node:fs';
import type { Span } from '../../plan/diagnostic.ts';

/** The stack of an evaluated config tells the line and roughly the column; the words themselves are looked for in the line. */
export function wordsIn(path: string, place: { file: string; line: number; column: number; words: readonly string[] }): Span {
  const { file, line, column, words } = place;
  const text = readFileSync(path, 'utf8').split(/\r?\n/)[line - 1] ?? '';
  for (const word of words) {
    const start = text.indexOf(word);
    if (start >= 0) return { file, line, column: start + 1, endColumn: start + 1 + word.length };
  }
  return { file, line, column };
}
