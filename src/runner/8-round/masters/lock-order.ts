/**
 * The order in which a round locks tables, by their ordinals. Applications may write them in another order: who holds the second while
 * the round holds the first, and wants that, would be waited for in vain. So further locks are waited for but shortly, less than
 * `deadlock_timeout` so that no application is taken for the cause of a deadlock, and every try begins with another table; for the first it waits holding none.
 */
export function lockOrder(tables: readonly number[], tries: number): readonly number[] {
  const at = tables.length === 0 ? 0 : tries % tables.length;
  return [...tables.slice(at), ...tables.slice(0, at)];
}
