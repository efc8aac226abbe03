import type { Diagnostic, Span } from '../../plan/diagnostic.ts';

/** Where a fault stands: in the config, or in the file that it names; null for one of a database. */
export function placeOf({ span, where }: Diagnostic): Span | null {
  return span ?? (where !== null && /^[^\s,:]+\/[^\s,:]+\.[a-z]+$/.test(where) ? { file: where, line: 1, column: 1 } : null);
}
