/** One row, values as the server's own text, never parsed into numbers or Dates. */
export type Row = Readonly<Record<string, string | null>>;

export type Statement = {
  readonly text: string;
  readonly values?: readonly (string | null)[];
  /** Prepared under this name on first use and kept. */
  readonly name?: string;
};

export type Result = {
  readonly rows: readonly Row[];
  /** Rows as lists in column order; filled only by `batch` and `queryLists`. */
  readonly lists: readonly (readonly (string | null)[])[];
  readonly count: number;
  /** Command tag's first word, e.g. `COMMIT` or, when COMMIT met a failed transaction, `ROLLBACK`. */
  readonly command: string;
};
