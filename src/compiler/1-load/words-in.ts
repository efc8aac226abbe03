import { readFileSync } from 'node:fs';
import type { Span } from '../../plan/diagnostic.ts';

/** Further away than imports, which are evaluated first, move a line. */
const FAR = 20;

/**
 * Where words stand that an evaluated config was seen to use. The stack tells the line, or one near it where imports follow, and roughly the
 * column; the words themselves are looked for in the text.
 */
export function wordsIn(path: string, place: { file: string; line: number; column: number; words: readonly string[] }): Span {
  const { file, line, column, words } = place;
  const lines = readFileSync(path, 'utf8').split(/\r?\n/);
  for (let distance = 0; distance <= FAR; distance += 1) {
    for (const near of [line - distance, line + distance]) {
      for (const word of words) {
        const start = lines[near - 1]?.indexOf(word) ?? -1;
        if (start >= 0) return { file, line: near, column: start + 1, endColumn: start + 1 + word.replace('(', '').length };
      }
    }
  }
  return { file, line, column };
}
