/**
 * Purpose: what `sarrio pause`, `resume` and `copy` write into a source for whichever runner works there.
 * Reads, writes: sarrio.paused, sarrio.registry, the wake flag. Called by: `control.ts`.
 */
export const pauseSync = `
  insert into sarrio.paused (sync, paused_by) values ($1, $2)
  on conflict (sync) do nothing
`;

export const resumeSync = 'delete from sarrio.paused where sync = $1';

/** Wakes the sync's runner whether it listens or polls. */
export const wakeRunner = 'select sarrio.wake($1, $2::regclass)';
