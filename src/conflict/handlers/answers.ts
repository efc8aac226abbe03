/** What a column of a row can be in a handler, and what it may be set to. Which type comes as what: `values.ts`. */
export type ColumnValue = string | number | boolean | null;

/** A `bigint` in a row: its digits, since a number would lose some. `BigInt(row.id)` counts with it. */
export type Bigint = `${bigint}`;

/** A `numeric` in a row: its digits, as the server writes them. */
export type Numeric = `${number}` | 'NaN' | 'Infinity' | '-Infinity';

/** The row of this database goes everywhere; if the row was deleted there, it is deleted everywhere. */
export type TakeAnswer<Database extends string = string> = { readonly kind: 'take'; readonly database: Database };

/** The latest row there is, with these columns changed, goes everywhere. */
export type MergeAnswer<Row extends object = RowValues> = {
  readonly kind: 'merge';
  readonly values: MergeValues<Row>;
  /** Stands in types only: a column that the table does not have is an error. */
  readonly columns?: keyof Row & string;
};

/** The row is deleted everywhere. */
export type RemoveAnswer = { readonly kind: 'remove' };

/** Every database keeps what it has, until the row is changed again. The conflict is recorded. */
export type SkipAnswer = { readonly kind: 'skip' };

/** What a handler of conflicts may return. */
export type ConflictAnswer<Row extends object = RowValues, Database extends string = string> =
  | TakeAnswer<Database>
  | MergeAnswer<Row>
  | RemoveAnswer
  | SkipAnswer;

/** A row whose columns are not declared. */
export type RowValues = { readonly [column: string]: ColumnValue };

/** Some columns of a row. */
export type MergeValues<Row extends object> = { readonly [Column in keyof Row]?: MergeValue<Row[Column]> };

/** What a column may be set to: what it holds; where that is digits, any text of digits or a bigint. */
type MergeValue<Value> = (null extends Value ? null : never) | Written<Exclude<Value, null>>;

/** A list of one is compared as a whole: a label of an enum that looks like a number is no number. */
type Written<Value> = [string | number | boolean] extends [Value]
  ? Value | bigint
  : Equal<Value, Bigint> extends true
    ? string | bigint
    : Equal<Value, Numeric> extends true
      ? string | bigint
      : Value;

type Equal<One, Other> = [One] extends [Other] ? ([Other] extends [One] ? true : false) : false;

/** `take('east')`: the row of east, or its absence, wins. */
export function take<const Database extends string>(database: Database): TakeAnswer<Database> {
  return { kind: 'take', database };
}

/** `merge({ stock: 3 })`: the latest row with some columns changed wins. The key stays as it is. */
export function merge<const Values extends object>(
  values: Values,
): { readonly kind: 'merge'; readonly values: Values; readonly columns?: keyof Values & string } {
  return { kind: 'merge', values };
}

/** The row is deleted everywhere. */
export function remove(): RemoveAnswer {
  return { kind: 'remove' };
}

/** Every database keeps its own row. */
export function skip(): SkipAnswer {
  return { kind: 'skip' };
}
