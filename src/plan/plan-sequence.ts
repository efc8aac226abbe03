import type { QualifiedName } from '../sql/quote.ts';

/** A user's sequence that gives out the values of one slot: those that leave `slot` when divided by `slots`. */
export type PlanSequence = {
  readonly sequence: QualifiedName;
  readonly sync: string;
  /** Columns that count by it. The first one says which sequences of the members belong together. */
  readonly columns: readonly { readonly table: QualifiedName; readonly column: string }[];
  readonly slots: number;
  /** 1 for the sync's first member. */
  readonly slot: number;
  /** One row: `increment`, `least`, `most`, `cycles`, `last` (value), `is_called`, `highest` (value in the columns), `taken` (a value of the slot that stands in a column although it is still to come). */
  readonly read: string;
  /** Sets the increment, and the next value to the setting `sarrio.next`; fails when the sequence has come to `sarrio.floor` meanwhile. */
  readonly align: string;
};
