import type { NamedRule } from '../plan/conflict-rule.ts';
import type { Change, Contains } from './change.ts';
import type { RowText } from './row-text.ts';
import type { Version } from './version.ts';

/** One conflict as a strategy sees it: all candidates, ordered by member. */
export type Conflict = {
  readonly candidates: readonly Version[];
  /** Databases of the sync by index; a candidate's `member` points here. */
  readonly databases: readonly string[];
  /** For strategies that make a row of several; given wherever the rule is one of these. */
  readonly rows?: ConflictRows;
};

/** What the candidates hold, and what they know of each other. */
export type ConflictRows = {
  /** Names of the values of a row. */
  readonly columns: readonly string[];
  /** Columns whose values are not recorded. */
  readonly masked?: readonly string[];
  readonly rowOf: (member: number) => RowText;
  readonly contains: Contains;
};

/** @throws Error when they were not given. */
export function rowsOf({ rows }: Conflict): ConflictRows {
  if (rows === undefined) throw new Error('the rule needs rows, and none were given');
  return rows;
}

/** By column, the changes that were not chosen there: what comes later must not meet them as if they still stood in the row. */
export type Overruled = ReadonlyMap<string, readonly Change[]>;

/** What becomes of a key: the row of one member (or its absence) everywhere, a row made of several, no row, nothing at all, or the table stops. */
export type Decision =
  | { readonly kind: 'take'; readonly member: number; readonly overruled?: Overruled }
  /** `base`: the member whose row was added to; `note`: for the record, what came from where. */
  | { readonly kind: 'merge'; readonly values: readonly (string | null)[]; readonly base?: number; readonly note?: string; readonly overruled?: Overruled }
  | { readonly kind: 'remove' }
  | { readonly kind: 'skip' }
  | { readonly kind: 'stop'; readonly reason: string };

/** A way to decide conflicts. Total and deterministic; the order of the candidates and of the calls does not matter. */
export type Strategy = {
  /** As the config and the plan name it. */
  readonly name: NamedRule['strategy'];
  readonly summary: string;
  readonly decide: (conflict: Conflict, rule: NamedRule) => Decision;
};
