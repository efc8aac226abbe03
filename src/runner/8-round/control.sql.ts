/**
 * Purpose: what `sarrio pause`, `resume` and `copy` write into a source for whichever runner works there.
 * Reads, writes: sarrio.paused, sarrio.registry, the wake flag. Called by: `control.ts`.
 */
export const pauseSync = `
  insert into sarrio.paused (sync, paused_by) values ($1, $2)
  on conflict (sync) do nothing
`;

/** What an earlier version has installed lacks the columns, so they are read as of a row that may have them. A pause whose time has come is none. */
export const IS_PAUSED = "coalesce((to_jsonb(p) ->> 'until')::timestamptz > clock_timestamp(), true)";
export const WHY_PAUSED = "to_jsonb(p) ->> 'reason' as pause_reason, to_jsonb(p) ->> 'until' as paused_until";

/** $3: reason, $4: until when. Takes the place of a pause that says something else, or is over. */
export const pauseSyncUntil = `
  insert into sarrio.paused as p (sync, paused_by, reason, until) values ($1, $2, $3, $4::timestamptz)
  on conflict (sync) do update set paused_by = excluded.paused_by, paused_at = excluded.paused_at, reason = excluded.reason, until = excluded.until
  where (p.reason, p.until) is distinct from (excluded.reason, excluded.until)
`;

/** Before a sync is paused anew. */
export const forgetEndedPause = `delete from sarrio.paused as p where p.sync = $1 and not ${IS_PAUSED}`;

export const resumeSync = 'delete from sarrio.paused where sync = $1';

/** Wakes the sync's runner whether it listens or polls. */
export const wakeRunner = 'select sarrio.wake($1, $2::regclass)';
