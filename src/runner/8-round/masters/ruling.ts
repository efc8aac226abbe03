import type { FailureError } from '../../../conflict/handlers/failure.ts';
import type { JudgedChange } from '../../../conflict/handlers/judge-changes.ts';
import type { RowText } from './member.ts';

export type ShownRow = {
  readonly table: number;
  readonly key: readonly string[];
  readonly rows: readonly { readonly member: number; readonly row: RowText }[];
};

/** What a handler has said of a row that a member did not take in a round before this one. */
export type Ruling = {
  readonly table: number;
  readonly key: readonly string[];
  /** The member that did not take the row. */
  readonly member: number;
  readonly error: FailureError;
  /** What every member held that was up when the handler was asked, of all rows that it speaks of. */
  readonly shown: readonly ShownRow[];
  readonly decision:
    | { readonly kind: 'keep'; readonly member: number }
    | { readonly kind: 'park' }
    | { readonly kind: 'change'; readonly changes: readonly RuledChange[] };
};

/** The table by its ordinal. */
export type RuledChange = Omit<JudgedChange, 'table'> & { readonly table: number };

/** What was ruled, as a round takes it; what it does not find as it was shown is dropped, and asked about again. */
export type RulingSource = { all(): readonly Ruling[]; drop(ruling: Ruling): void };
