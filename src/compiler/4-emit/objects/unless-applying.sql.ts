import { type Sql, sql } from '../../../sql/sql.ts';

/**
 * Purpose: for triggers that fire always: what our own apply writes is recorded by the apply itself, with the sync that it came by. Its
 * transaction is known by what it did first: it locked the stream's watermark, or it put down the copy that it makes. Nobody can do
 * that without rights on these tables, so no setting of a session and no name can keep a change from being captured. (Freezing clears
 * an old lock, and the time tells a copy of this transaction from one whose 32-bit id came round again.)
 * Reads: sarrio.watermark, sarrio.initial_copy. Writes: nothing. Called by: `capture.sql.ts`.
 */
export const unlessApplying: Sql = sql`
  if pg_catalog.current_setting('session_replication_role') operator(pg_catalog.=) 'replica'
    and pg_catalog.pg_current_xact_id_if_assigned() is not null
    and (
      exists (
        select from sarrio.watermark as w
        where w.xmax operator(pg_catalog.=) pg_catalog.pg_current_xact_id()::pg_catalog.xid
      ) or exists (
        select from sarrio.initial_copy as c
        where c.xmin operator(pg_catalog.=) pg_catalog.pg_current_xact_id()::pg_catalog.xid
          and c.copied_at operator(pg_catalog.>=) pg_catalog.now()
      )
    )
  then
    return null;
  end if;
`;
