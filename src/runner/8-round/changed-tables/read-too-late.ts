import type { Result } from '../../postgres/statement.ts';

/** A table was altered between a snapshot and the reading of its rows: what was read is thrown away. Another try sees it as it is now. */
export class ReadTooLate extends Error {
  constructor(database: string, tables: readonly string[]) {
    super(`database ${database}: ${tables.join(', ')} ${tables.length === 1 ? 'was' : 'were'} altered or rewritten while being read; it is read again`);
  }
}

/** `answer` of `notAsSeen` or `nothingAsSeen`. */
export function refuseChanged(database: string, answer: Result | undefined): void {
  const tables = (answer?.lists ?? []).map(([table]) => table ?? '');
  if (tables.length > 0) throw new ReadTooLate(database, tables);
}
