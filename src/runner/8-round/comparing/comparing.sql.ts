import type { Statement } from '../../postgres/statement.ts';

/**
 * Purpose: what comparing the two sides of a table says beside the statements of the plan.
 * Reads: nothing. Writes: settings of the session. Called by: the files of this folder, and phase 9.
 */
export const beginRead: Statement = { text: 'begin transaction isolation level repeatable read, read only' };

export const setBuckets: (mask: string) => Statement = (mask) => ({ text: "select set_config('sarrio.buckets', $1, true)", values: [mask] });

export const setKeys = "select set_config('sarrio.keys', $1, true)";
