import type { Diagnostic } from '../../plan/diagnostic.ts';
import type { Read } from './evaluate/evaluator.ts';
import { wordsIn } from './words-in.ts';

/** What the config reads that is not the same everywhere, at the words that do it. */
export function readFaults(reads: readonly Read[], shown: (file: string) => string): readonly Diagnostic[] {
  return reads.map(({ what, file, line, column }) => {
    const name = what.split('.').at(-1) ?? what;
    const words = [what, `${name}(`, name];
    const span = wordsIn(file, { file: shown(file), line, column, words });
    return { code: 'SAR108', severity: 'error', message: `the config reads ${what}, ${differs(what)}`, hint: hintFor(what), span, where: null };
  });
}

function differs(what: string): string {
  if (/^process\.env/.test(what)) return 'which differs from machine to machine and is empty here';
  if (/random|UUID/i.test(what)) return 'which is another one each time';
  return /^os\./.test(what) ? 'which differs from machine to machine' : 'which differs from moment to moment';
}

function hintFor(what: string): string {
  const name = /^process\.env\.(\w+)$/.exec(what)?.[1];
  if (what.startsWith('process.env')) {
    return `A connection is named and looked up later: env('${name ?? 'EAST_URL'}'). Nothing else may depend on the environment.`;
  }
  return 'The generated files are reviewed once and must come out the same wherever they are made.';
}
