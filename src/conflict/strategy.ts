import type { NamedRule } from '../plan/conflict-rule.ts';
import type { Version } from './version.ts';

/** One conflict as a strategy sees it: all candidates, ordered by member. */
export type Conflict = {
  readonly candidates: readonly Version[];
  /** Databases of the sync by index; a candidate's `member` points here. */
  readonly databases: readonly string[];
};

/** What becomes of a key: the row of one member (or its absence) everywhere, a row made of several, no row, nothing at all, or the table stops. */
export type Decision =
  | { readonly kind: 'take'; readonly member: number }
  | { readonly kind: 'merge'; readonly values: readonly (string | null)[] }
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
