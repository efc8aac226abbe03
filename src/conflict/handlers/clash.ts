import type { ColumnValue, RowValues } from './answers.ts';
import type { KeepAnswer, ParkAnswer, StopAnswer } from './failure.ts';

/** The later row stays as well, with these columns changed at every database; the earlier one stays as it is. */
export type ChangeAnswer = { readonly kind: 'merge'; readonly values: { readonly [column: string]: ColumnValue | bigint | undefined } };

/** What a handler of unique values may return. `keep('east')`: the row of east stays, the other one is parked; `park()`: both are. */
export type UniqueAnswer<Database extends string = string> = KeepAnswer<Database> | ParkAnswer | ChangeAnswer | StopAnswer;

/** One of two rows that hold the same unique value. */
export type UniqueRow<Row extends object = RowValues, Database extends string = string> = {
  /** Where it stands, the first of them in the order of the members. */
  readonly database: Database;
  /** The key's columns. */
  readonly key: Partial<Row>;
  readonly row: Row;
  /** When it was last changed, in UTC: `2026-11-26T17:02:44.123456Z`; null when that is so long ago that every database has heard of it. */
  readonly time: string | null;
  /** The same in microseconds since 1970. */
  readonly timeMicros: bigint | null;
};

/** Two rows with different keys that hold the same value of a unique index, made at databases that did not know of each other. */
export type UniqueClash<Row extends object = RowValues, Database extends string = string> = {
  /** `public.customers`. */
  readonly table: string;
  /** Name of the unique index. */
  readonly index: string;
  /** By time, then by the order of the members, then by key. */
  readonly earlier: UniqueRow<Row, Database>;
  readonly later: UniqueRow<Row, Database>;
};

/** Says what becomes of two rows that hold one unique value. A closed function, as handlers of conflicts are. */
export type UniqueHandler<Row extends object = RowValues, Database extends string = string> = {
  decide(clash: UniqueClash<Row, Database>): UniqueAnswer<Database>;
}['decide'];
