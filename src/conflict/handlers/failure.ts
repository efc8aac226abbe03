import type { RowValues } from './answers.ts';
import type { Operation } from './conflict.ts';
import type { RowChange, TableChanges } from './row-change.ts';

/**
 * The same again, after the rows of these changes were changed at every database, in the round's own transactions. Without changes something
 * may have changed meanwhile. After three times in a row the table stops.
 */
export type RetryAnswer = { readonly kind: 'retry'; readonly changes: readonly RowChange[] };

/** The row of this database goes everywhere; where it has none, the row is deleted everywhere. */
export type KeepAnswer<Database extends string = string> = { readonly kind: 'keep'; readonly database: Database };

/** The row is taken out of the table everywhere, and kept apart. */
export type ParkAnswer = { readonly kind: 'park' };

/** The table stops until a person has looked, as it does without a handler. */
export type StopAnswer = { readonly kind: 'stop' };

/** What a handler of exceptions may return. */
export type ExceptionAnswer<Database extends string = string> = RetryAnswer | KeepAnswer<Database> | ParkAnswer | StopAnswer;

/** What the server said. */
export type FailureError = {
  /** SQLSTATE: `23514` for a CHECK, `23505` for a unique index, `23P01` for an exclusion. */
  readonly code: string;
  readonly message: string;
  readonly detail: string | null;
  readonly constraint: string | null;
  /** `public.customers`, or the partition that it was; null where the error is not one of a table. */
  readonly table: string | null;
};

/** What one database that is up holds of a row. */
export type FailureVersion<Row extends object = RowValues, Database extends string = string> = {
  readonly database: Database;
  /** Null where it holds nothing. */
  readonly row: Row | null;
  /** When it was last changed there, in UTC: `2026-11-26T17:02:44.123456Z`; null when that is so long ago that every database has heard of it. */
  readonly time: string | null;
  /** The same in microseconds since 1970. */
  readonly timeMicros: bigint | null;
  /** What the changes came to that not every database has heard of; null where there are none. */
  readonly operation: Operation | null;
};

/** A row that stands in the way of another one. */
export type RowInTheWay<Row extends object = RowValues, Database extends string = string> = {
  /** The key's columns. */
  readonly key: Partial<Row>;
  /** As it would stand at the database that does not take the other one. */
  readonly row: Row;
  /** What each database that is up holds under its key, in the order of the members. */
  readonly rows: readonly FailureVersion<Row, Database>[];
};

/** The tables of a sync with their rows, where nothing more is known of them. */
export type AnyTables = { readonly [table: string]: RowValues };

/** A row that one database does not take from the others. */
export type Failure<Row extends object = RowValues, Database extends string = string, Tables extends object = AnyTables> = TableChanges<Row> & {
  /** `public.customers`. */
  readonly table: string;
  /** The key's columns. */
  readonly key: Partial<Row>;
  /** The database that does not take the row. */
  readonly database: Database;
  readonly error: FailureError;
  /** How often this row's handler has said `retry()` before, in a row. */
  readonly tries: number;
  /** The row that it does not take; null where it is to be deleted there. */
  readonly arriving: Row | null;
  /** Of a unique index or an exclusion: the rows that hold what the arriving one wants, by key. Empty for other errors. */
  readonly inTheWay: readonly RowInTheWay<Row, Database>[];
  /** What each database that is up holds under this key, in the order of the members. */
  readonly rows: readonly FailureVersion<Row, Database>[];
  /** The row of a database, or null when it holds none or is not up. */
  readonly row: (database: Database) => Row | null;
  /** Another table of the sync: `of('public.orders').remove({ id: 7 })`. */
  of<Table extends keyof Tables & string>(table: Table): TableChanges<Tables[Table] & object>;
};

/** Says what becomes of a row that a database does not take. A closed function, as handlers of conflicts are. */
export type ExceptionHandler<Row extends object = RowValues, Database extends string = string, Tables extends object = AnyTables> = {
  decide(failure: Failure<Row, Database, Tables>): ExceptionAnswer<Database>;
}['decide'];

/** `retry(failure.update(failure.inTheWay[0].key, { email: null }))`: tried again once these rows are changed at every database. */
export function retry(...changes: readonly RowChange[]): RetryAnswer {
  return { kind: 'retry', changes };
}

/** `keep('east')`: the row of east, or its absence, goes everywhere. */
export function keep<const Database extends string>(database: Database): KeepAnswer<Database> {
  return { kind: 'keep', database };
}

export function park(): ParkAnswer {
  return { kind: 'park' };
}

export function stop(): StopAnswer {
  return { kind: 'stop' };
}
