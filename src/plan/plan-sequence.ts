import type { QualifiedName } from '../sql/quote.ts';

/** A user's sequence of which the runner says when most of its values are given: one that is carried from here, or counts in steps. */
export type PlanWatched = {
  readonly sequence: QualifiedName;
  /** One row: `last` (value), `is_called`, `increment`, `least`, `most` (within the types of the columns that count by it), `cycles`. */
  readonly look: string;
};

/** Sequences of a one-way sync: left alone, or those of the targets are kept ahead of the source's. */
export type PlanCarry = 'ignore' | { readonly margin: number; readonly carried: readonly PlanCarried[] };

/** A sequence of a target that follows one of the source. Two that meet in one of the target (or the other way round) are two entries. */
export type PlanCarried = {
  readonly target: string;
  readonly from: QualifiedName;
  readonly to: QualifiedName;
  /** Run on the source and on the target, as `PlanWatched.look`. */
  readonly lookFrom: string;
  readonly lookTo: string;
  /** $1: the value that it has given last, $2: whether it has given it (t) or gives it next (f). Sets the sequence of the target, and never back. */
  readonly carry: string;
  /** One row: the `highest` and the `lowest` value in the target's columns that count by it; null where they hold no plain numbers. */
  readonly extremes: string | null;
};

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
