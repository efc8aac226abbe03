/**
 * Purpose: a member that is copied is a source as well: what applications write to its tables meanwhile.
 * Reads: the member's own snapshot. Writes: nothing. Called by: `own-writes.ts`.
 */
/** Of now, under the lock on the table: whoever wrote to it before has committed or is gone. */
export const ownSnapshot = 'select pg_current_snapshot()::text as snapshot';

export const ownSavepoint = 'savepoint sarrio_own';
export const rollbackToOwn = 'rollback to savepoint sarrio_own';
