import { dangerousRaw, sql } from '../../sql/sql.ts';

/**
 * Purpose: the bookkeeping queries of verify and repair.
 * Reads: sarrio.watermark, sarrio.initial_copy, pg_class. Writes: nothing. Called by: the files of this room.
 */
/** Not read only: the table of differences is filled in it and stays after its commit. */
export const beginCompare = 'begin transaction isolation level repeatable read, read write';

export const commitCompare = 'commit';
export const rollback = 'rollback';

/** Whoever is told that rows were repaired must find them repaired after a crash. */
export const beginRepair = 'begin read write; set local synchronous_commit = on';

export const beginHold = 'begin';

/** Taken before the transaction's snapshot, which this does not take. While it is held no segment is emptied. */
export function holdDelta(delta: string): string {
  return sql`lock table ${dangerousRaw(delta)} in access share mode`.text;
}

export const readCapture = 'select to_regclass($1)::oid::text as oid';

/** One row when the stream has a watermark: the position, the life of the stream that it belongs to, and where the table's initial copy stands, or why it sits the rounds out. */
export const readPlace = `
  select w.position, w.registration::text as registration, c.capture::text as capture, c.is_joined, s.message as stopped
  from sarrio.watermark as w
  left join sarrio.initial_copy as c on c.sync = w.sync and c.source = w.source and c.relation = $3
  left join sarrio.stopped as s on s.sync = w.sync and s.relation = $3
  where w.sync = $1 and w.source = $2
`;

export const cancelBackend = 'select pg_cancel_backend($1::integer)';

/** A target's session is made for rounds: read-only outside of them, and ended when nothing is heard for a minute. A scan of the source may take longer. */
export const repairSession = 'set default_transaction_read_only = off; set idle_session_timeout = 0; set idle_in_transaction_session_timeout = 0';
