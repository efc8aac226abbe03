/** Bytes on disk, entries in the delta tables, or both; null where not bounded. */
export type BacklogBudget = { readonly bytes: number | null; readonly rows: number | null };
