import type { HandlerRule } from './conflict-rule.ts';

/** What becomes of several rows that hold one unique value under different keys, as the plan holds it. */
export type UniqueRule = NamedUniqueRule | HandlerRule;

/** Which of them stays; the others are parked. */
export type NamedUniqueRule =
  | { readonly strategy: 'keep-earliest' | 'keep-latest' | 'park' }
  | { readonly strategy: 'prefer'; readonly databases: readonly string[] };

/**
 * Pairs of rows that hold one value of a unique index under different keys, one of which arrives: index, key, row (JSON arrays of texts) and
 * time of the one (microseconds), the same of the other, and whether that stands here already (t/f).
 */
export type ClashStatements = {
  /** $1 as for the write statements. */
  readonly ofRows: string;
  readonly ofStage: string;
};
