/**
 * Purpose: what the backend of another of our connections is doing, and its end. Reads: pg_stat_activity. Writes: nothing.
 * Called by: `watchdog.ts`. $1: its process id, $2: when it began, because process ids come again.
 */
export const backendState = 'select state, wait_event from pg_catalog.pg_stat_activity where pid = $1::int and extract(epoch from backend_start) = $2::numeric';

/** Nobody will ever speak to it again, and it holds locks, the lease or a snapshot. */
export const endBackend =
  'select pg_catalog.pg_terminate_backend(pid) from pg_catalog.pg_stat_activity where pid = $1::int and extract(epoch from backend_start) = $2::numeric';
