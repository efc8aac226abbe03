import type { RowValues } from './answers.ts';

/** The same again: something may have changed meanwhile. After three times in a row the table stops. */
export type RetryAnswer = { readonly kind: 'retry' };

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
};

/** A row that one database does not take from the others. */
export type Failure<Row extends object = RowValues, Database extends string = string> = {
  /** `public.customers`. */
  readonly table: string;
  /** The key's columns. */
  readonly key: Partial<Row>;
  /** The database that does not take the row. */
  readonly database: Database;
  readonly error: FailureError;
  /** How often this row's handler has said `retry()` before, in a row. */
  readonly tries: number;
  /** What each database that is up holds under this key, in the order of the members; null where it holds nothing. */
  readonly rows: readonly { readonly database: Database; readonly row: Row | null }[];
  /** The row of a database, or null when it holds none or is not up. */
  readonly row: (database: Database) => Row | null;
};

/** Says what becomes of a row that a database does not take. A closed function, as handlers of conflicts are. */
export type ExceptionHandler<Row extends object = RowValues, Database extends string = string> = {
  decide(failure: Failure<Row, Database>): ExceptionAnswer<Database>;
}['decide'];

export function retry(): RetryAnswer {
  return { kind: 'retry' };
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
