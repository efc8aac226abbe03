/** What waits for `sarrio approve` before any of the round that it is in is applied. */
export type PlanGuard = {
  /** Share of the rows of a target table beyond which the deletes of a round wait; null: none wait. */
  readonly deletes: number | null;
  /** Deletes of fewer rows do not wait. */
  readonly minRows: number;
  readonly truncate: boolean;
};

/** Run on the source, in the round's snapshot, from the position in the settings. */
export type GuardReadStatements = {
  /** One row, `gone`: the number of pending keys that have no row. */
  readonly gone: string;
};

/** Run on the target. */
export type GuardApplyStatements = {
  /** One row, `rows`: how many rows the table has, counted up to $1. */
  readonly rows: string;
  /** One row, `gone`: how many of them are staged as having no row at the source. */
  readonly staged: string;
};
