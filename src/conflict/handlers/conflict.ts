import type { ConflictAnswer, RowValues } from './answers.ts';

/** What the changes of a row at one database came to. */
export type Operation = 'insert' | 'update' | 'delete';

/** What one database holds of the row. */
export type ConflictVersion<Row extends object = RowValues, Database extends string = string> = {
  readonly database: Database;
  /** When the row was last changed there, by its clock, in UTC: `2026-11-26T17:02:44.123456Z`. Ordered as text, too. */
  readonly time: string;
  /** The same in microseconds since 1970. */
  readonly timeMicros: bigint;
  readonly operation: Operation;
  /** Null where the row was deleted. */
  readonly row: Row | null;
};

/** A row that was changed at several databases at the same time, in different ways. */
export type Conflict<Row extends object = RowValues, Database extends string = string> = {
  /** `public.customers`. */
  readonly table: string;
  /** The key's columns. */
  readonly key: Partial<Row>;
  /** The operations in the order of `versions`: `update/update`, `update/delete`, `insert/insert`. */
  readonly kind: string;
  /** One for each database that changed the row, in the order of the sync's members; two at least. */
  readonly versions: readonly ConflictVersion<Row, Database>[];
  /** The version that was changed last, and the one that was changed first; at the same microsecond the first in order. */
  readonly latest: ConflictVersion<Row, Database>;
  readonly earliest: ConflictVersion<Row, Database>;
  /**
   * The last row that all of them had before they went apart. Null where there was none (they all inserted it), or where it is not known: before it was
   * captured for this handler, after a TRUNCATE, or where a member never had what another one started from. Never a guess.
   */
  readonly common: Row | null;
  /** The version of a database, or null when it did not change the row. */
  readonly version: (database: Database) => ConflictVersion<Row, Database> | null;
};

/**
 * Decides the conflicts of a table. A closed function: of what stands outside of it, it uses constants and other closed functions only,
 * has no clock, no randomness and no way out, and gives the same answer for the same conflict, whenever and wherever it is asked.
 */
export type ConflictHandler<Row extends object = RowValues, Database extends string = string> = {
  // A method, so that a handler for rows of a declared type is also one for rows whose columns are not declared.
  decide(conflict: Conflict<Row, Database>): ConflictAnswer<Row, Database>;
}['decide'];

/** How messages and conflict records call a conflict: its operations, in the order of the members. */
export function kindOf(operations: readonly Operation[]): string {
  return operations.join('/');
}

/** Microseconds since 1970 as a time of UTC with six digits. */
export function timeText(micros: bigint): string {
  const fraction = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const seconds = new Date(Number((micros - fraction) / 1000n)).toISOString();
  return seconds.replace(/\.\d+Z$/, `.${String(fraction).padStart(6, '0')}Z`);
}
