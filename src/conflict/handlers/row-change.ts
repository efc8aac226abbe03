import type { ColumnValue, MergeValues, RowValues } from './answers.ts';

/** A change of one row, as a handler asks for it: data only, which the runner carries out at every database alike. */
export type RowChange = {
  readonly change: 'update' | 'insert' | 'remove';
  /** `public.customers`. */
  readonly table: string;
  /** The key's columns; of an insert the row's own say it. */
  readonly key: { readonly [column: string]: ColumnValue | bigint | undefined };
  readonly values: { readonly [column: string]: ColumnValue | bigint | undefined };
};

/** Makes changes of the rows of one table, for `retry(…)`. Nothing happens until the handler returns them. */
export type TableChanges<Row extends object = RowValues> = {
  /** The row of this key, with these columns changed. It must be there. */
  update(key: Partial<Row>, values: MergeValues<Row>): RowChange;
  /** A row under a key that is free. Columns that are not given are null. */
  insert(row: MergeValues<Row>): RowChange;
  /** The row of this key is deleted. It must be there. */
  remove(key: Partial<Row>): RowChange;
};
