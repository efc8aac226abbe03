import { literal } from '../../sql/quote.ts';
import { sql } from '../../sql/sql.ts';

/**
 * Purpose: opens the transaction in which a database gets its missing tables; what a table takes over from settings is pinned.
 * Reads, writes: nothing. Called by: makeSchema.
 */
export const BEGIN_MAKING = (lockTimeoutMs: number): string =>
  sql`
    begin;
    set local lock_timeout = ${literal(`${lockTimeoutMs}ms`)};
    set local default_table_access_method = heap;
  `.text;

export const COMMIT_MAKING = 'commit';
export const ROLLBACK_MAKING = 'rollback';
