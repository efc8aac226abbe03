/** What does not go to the targets: with `delete` they keep rows that the source has deleted or truncated. */
export type SkippedOperation = 'delete';

/**
 * How initial copies are made.
 * - `jobs`: ranges and tables that are copied at the same time; 2 by default, `sarrio run --jobs` beats it.
 * - `chunk`: a table that is larger (`'128 MB'` by default, of 1024) is copied in ranges of this size, each kept once it is there.
 * - `rate`: at most so many bytes a second, such as `'20 MB'`; no bound by default.
 * - `rebuildIndexes`: indexes of an empty target table that is copied in ranges, other than unique ones, are dropped before and built again
 *   afterwards, several at a time. The runner has to own the table.
 */
export type CopySettings = { readonly jobs?: number; readonly chunk?: string; readonly rate?: string; readonly rebuildIndexes?: boolean };

/**
 * What waits until somebody has said `sarrio approve`: nothing of the round that it is in is applied before.
 * - `deletes`: the share of a target table's rows (0.2 is a fifth) beyond which the deletes of one round wait.
 * - `minRows`: deletes of fewer rows than this never wait; 1 by default.
 * - `truncate`: whether a TRUNCATE waits; it does unless you say `false`.
 */
export type Guard = { readonly deletes?: number; readonly minRows?: number; readonly truncate?: boolean };

/**
 * A budget for changes that wait in the source: a size on disk such as `'20 GB'` (kB, MB, GB or TB, of 1024), a number of entries, or
 * both. From 80 % on the runner warns; beyond it, a target that does not come after is detached and has to be copied anew.
 */
export type Backlog = string | { readonly size?: string; readonly rows?: number };
