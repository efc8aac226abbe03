import type { StreamName } from '../events.ts';

/** A row that only one side has, or that both have and that is not the same. */
export type DifferenceKind = 'missing' | 'extra' | 'different';

/** One key that differs. Values of other columns are never read: they may be somebody's secrets. */
export type Difference = {
  readonly kind: DifferenceKind;
  /** Key columns by their names on the target, as text. */
  readonly key: Readonly<Record<string, string>>;
  /** Target columns that differ; empty unless `different`. */
  readonly columns: readonly string[];
};

/** What differs in one table. */
export type Differences = {
  readonly missing: number;
  readonly extra: number;
  readonly different: number;
  /** Keys that differ and whose change is on its way: the next round writes them, so they say nothing. */
  readonly inFlight: number;
  readonly columns: readonly { readonly column: string; readonly rows: number }[];
  /** The first of them, in the order of the key. */
  readonly keys: readonly Difference[];
};

export type TableState = 'equal' | 'differs' | 'repaired' | 'not-compared' | 'failed';

/** What verify found of one table of one stream. */
export type TableResult = {
  readonly stream: StreamName;
  /** Display names. */
  readonly source: string;
  readonly target: string;
  readonly state: TableState;
  /** Why it was not compared, or the error. */
  readonly reason: string | null;
  /** Rows that were compared on each side; null when none were. */
  readonly rows: { readonly source: number; readonly target: number } | null;
  readonly differences: Differences;
  /** Keys that a repair wrote, and those that it left because their change is on its way. */
  readonly repair: { readonly written: number; readonly leftToRound: number } | null;
  readonly ms: number;
};

export const NO_DIFFERENCES: Differences = { missing: 0, extra: 0, different: 0, inFlight: 0, columns: [], keys: [] };

/** Keys that really differ. */
export function differing({ missing, extra, different }: Differences): number {
  return missing + extra + different;
}
