import type { Statement } from '../postgres/statement.ts';

/**
 * Purpose: the runner's bookkeeping queries in the target of a stream.
 * Reads, writes: sarrio.watermark, sarrio.initial_copy. Called by: `target.ts`, `initial-copy.ts`, `apply-*.ts`.
 */
export const leaseStream = 'select pg_try_advisory_lock(hashtextextended($1, 0)) as is_held';

/** Who holds the lease, for messages. */
export const leaseHolder = `
  select a.pid::text as pid, a.application_name, coalesce(host(a.client_addr), 'local') as client
  from pg_locks as l
  join pg_stat_activity as a on a.pid = l.pid
  where l.locktype = 'advisory' and l.granted and l.database = (select oid from pg_database where datname = current_database())
    and (l.classid::bigint << 32 | l.objid::bigint) = hashtextextended($1, 0)
`;

/** Ends the holder of a lease that waits, in the middle of a statement, for its client: no timeout of the server's applies there. */
export const endHolder = `
  select pg_terminate_backend(a.pid) as is_ended
  from pg_locks as l
  join pg_stat_activity as a on a.pid = l.pid
  where l.locktype = 'advisory' and l.granted and l.database = (select oid from pg_database where datname = current_database())
    and (l.classid::bigint << 32 | l.objid::bigint) = hashtextextended($1, 0)
    and a.state = 'active' and a.wait_event in ('ClientRead', 'ClientWrite')
`;

export const readWatermark = `
  select position, registration::text as registration, acknowledged, resting::text as resting
  from sarrio.watermark
  where sync = $1 and source = $2
`;

/** What the source has recorded as acknowledged, so that one which was put back in time is recognized. */
export const noteAcknowledged = 'update sarrio.watermark set acknowledged = $3 where sync = $1 and source = $2 and registration = $4::uuid';

export const setUnverified = `
  update sarrio.watermark set unverified_since = clock_timestamp(), unverified_reason = $3
  where sync = $1 and source = $2
`;

export const readUnverified = 'select unverified_since::text as since from sarrio.watermark where sync = $1 and source = $2';

export const setVerified = `
  update sarrio.watermark set unverified_since = null, unverified_reason = null
  where sync = $1 and source = $2 and unverified_since = $3::timestamptz
`;

/** Whoever holds this row may write what the stream brings. */
export const lockWatermark: (sync: string, source: string) => Statement = (sync, source) => ({
  name: 'sarrio_lock_watermark',
  text: 'select position from sarrio.watermark where sync = $1 and source = $2 for update',
  values: [sync, source],
});

/** A setting that nobody has: to ask for it fails, and the error tells its name. */
export const FENCE_IS_LOST = 'sarrio.fence_is_lost';

export const TABLES_REST = 'sarrio.other_tables_rest';

/**
 * The fence: whoever holds this row may apply, and only from the position that he believes it to be at; and not to tables that rest, which
 * he has to know. The server itself fails the transaction otherwise, so that the commit may be on its way before we have the answer.
 */
export const holdFence: (at: { sync: string; source: string; position: string; resting: string }) => Statement = (at) => ({
  name: 'sarrio_hold_fence',
  text: `select case (
        select case when w.position <> $3 then null when w.resting::text = $4 then true else current_setting('${TABLES_REST}')::boolean end
        from sarrio.watermark as w
        where w.sync = $1 and w.source = $2
        for update
      ) when true then $3
      else current_setting('${FENCE_IS_LOST}')
    end as position`,
  values: [at.sync, at.source, at.position, at.resting],
});

export const advanceWatermark: (move: { sync: string; source: string; from: string; to: string; rows: number }) => Statement = (move) => ({
  name: 'sarrio_advance_watermark',
  text: `update sarrio.watermark
    set position = $4, applied_rows = applied_rows + $5::bigint, applied_rounds = applied_rounds + 1, applied_at = clock_timestamp()
    where sync = $1 and source = $2 and position = $3`,
  values: [move.sync, move.source, move.from, move.to, String(move.rows)],
});

export const insertWatermark = `
  insert into sarrio.watermark (sync, source, position, registration) values ($1, $2, $3, $4::uuid)
  on conflict (sync, source) do nothing
`;

export const forgetWatermark = 'delete from sarrio.watermark where sync = $1 and source = $2';

export const forgetCopies = 'delete from sarrio.initial_copy where sync = $1 and source = $2';

export const readCopies = `
  select relation, capture::text as capture, position, is_joined
  from sarrio.initial_copy
  where sync = $1 and source = $2
`;

/** First statement of a copy's transaction: of two runners only one gets a row, the other waits here and then gets none. */
export const claimCopy = `
  insert into sarrio.initial_copy as c (sync, source, relation, capture, position) values ($1, $2, $3, $4::oid, $5)
  on conflict (sync, source, relation) do update
    set capture = excluded.capture, position = excluded.position, is_joined = false, copied_at = clock_timestamp()
    where c.capture <> excluded.capture
`;

/** Tables whose rows are taken as they are: they follow from a position of their own, and the next round joins them. */
export const keepTables = `
  insert into sarrio.initial_copy (sync, source, relation, capture, position)
  select $1, $2, r.relation, r.capture::oid, $3
  from json_to_recordset($4::json) as r (relation text, capture text)
  on conflict (sync, source, relation) do nothing
`;

/**
 * Tables that a plan does not know ($3: those that it does), which rounds of it leave behind: they stand from now on where the watermark does, and a
 * round that knows them joins them from there.
 */
export const leaveUnknown = `
  with w as (
    select position from sarrio.watermark where sync = $1 and source = $2 for update
  )
  update sarrio.initial_copy as c set is_joined = false, position = w.position
  from w
  where c.sync = $1 and c.source = $2 and c.is_joined and c.relation <> all ($3::text[])
`;

export const finishCopy = `
  update sarrio.initial_copy set copied_rows = $4::bigint, copied_at = clock_timestamp()
  where sync = $1 and source = $2 and relation = $3
`;

export const joinCopies = `
  update sarrio.initial_copy set is_joined = true
  where sync = $1 and source = $2 and relation = any ($3::text[])
`;

/** A session that says nothing for a minute is ended by the target. */
export const heartbeat = 'select';

/** Outside of this a target's session is read-only. */
export const beginApply = 'begin read write';
export const commitApply = 'commit';
export const rollbackApply = 'rollback';
export const savepoint = 'savepoint sarrio_table';
export const rollbackToSavepoint = 'rollback to savepoint sarrio_table';
export const releaseSavepoint = 'release savepoint sarrio_table';

/** Where the WAL ends, and how far it is on disk: a commit without waiting is durable once the second has passed the first. */
export const walPositions = 'select pg_current_wal_insert_lsn()::text as written, pg_current_wal_flush_lsn()::text as flushed';

/** In a transaction of its own: its commit waits for the disk, and so for every commit before it. */
export const flushHere = "select set_config('synchronous_commit', 'local', true), pg_logical_emit_message(true, 'sarrio', '')";

/** Where the log ends with a page, the end that we were told is behind the next page's header, which is written only with what follows. */
export const isFlushedHere = `
  select f.lsn >= $1::pg_lsn
    or ($1::pg_lsn - f.lsn <= 40 and (f.lsn - '0/0'::pg_lsn) % current_setting('wal_block_size')::numeric = 0) as is_flushed
  from pg_current_wal_flush_lsn() as f (lsn)
`;

/** After a relay, in its transaction: rounds of syncs that read this table here need to look into it. */
export const markFilled = 'select sarrio.mark_filled($1::regclass) where pg_sequence_last_value($1::regclass) is distinct from 2';

/** After a relay: wakes the runner of a sync that reads this database, as its triggers would. */
export const wakeReader = 'select sarrio.wake($1, $2::regclass) where pg_sequence_last_value($2::regclass) = 2';
