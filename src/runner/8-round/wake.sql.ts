/**
 * Purpose: the wake flag of a sync (a sequence: no snapshot can hide its value) and the channel.
 * Reads, writes: the sync's wake sequence. Called by: `wake.ts`.
 */
export const listen = 'listen sarrio';

/** While a session holds it, triggers that find the flag armed notify; the key is that of `sarrio.wake`. Runners of other targets share it. */
export const beHeard = "select pg_advisory_lock_shared(hashtextextended('sarrio listens: ' || $1, 0))::text as held";

export const preparesTransactions = "select current_setting('max_prepared_transactions') <> '0' as yes";

export const FLAG = { busy: 1, armed: 2, kicked: 3 } as const;

export const setFlag = 'select setval($1::regclass, $2::bigint)';

export const readFlag = 'select coalesce(pg_sequence_last_value($1::regclass), 1)::text as flag';

/**
 * A transaction id after arming: a transaction that read `busy` had its own before. Not the `xmax` of a snapshot: that is one past the
 * last transaction that ended, and one that runs may be beyond it.
 */
export const armingXid = 'select pg_current_xact_id()::text as xid';

export const oldestRunning = 'select pg_snapshot_xmin(pg_current_snapshot())::text as xmin';

export const notify = "select pg_notify('sarrio', $1)";
