/** What a column of a row can be in a handler, and what it may be set to. Which type comes as what: `values.ts`. */
export type ColumnValue = string | number | boolean | null;

/** The row of this database goes everywhere; if the row was deleted there, it is deleted everywhere. */
export type TakeAnswer = { readonly kind: 'take'; readonly database: string };

/** The latest row there is, with these columns changed, goes everywhere. */
export type MergeAnswer<Row extends object = RowValues> = { readonly kind: 'merge'; readonly values: MergeValues<Row> };

/** The row is deleted everywhere. */
export type RemoveAnswer = { readonly kind: 'remove' };

/** Every database keeps what it has, until the row is changed again. The conflict is recorded. */
export type SkipAnswer = { readonly kind: 'skip' };

/** What a handler of conflicts may return. */
export type ConflictAnswer<Row extends object = RowValues> = TakeAnswer | MergeAnswer<Row> | RemoveAnswer | SkipAnswer;

/** A row whose columns are not declared. */
export type RowValues = { readonly [column: string]: ColumnValue };

/** Some columns of a row. Where a column is text that stands for a whole number (`bigint`, `numeric`), a bigint does as well. */
export type MergeValues<Row extends object> = { readonly [Column in keyof Row]?: Row[Column] | bigint };

/** `take('east')`: the row of east, or its absence, wins. */
export function take(database: string): TakeAnswer {
  return { kind: 'take', database };
}

/** `merge({ stock: 3 })`: the latest row with some columns changed wins. The key stays as it is. */
export function merge<Row extends object>(values: Row): { readonly kind: 'merge'; readonly values: Row } {
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
