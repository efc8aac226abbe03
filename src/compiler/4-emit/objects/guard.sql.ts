import { type Sql, sql } from '../../../sql/sql.ts';

/**
 * Purpose: in a target, the changes that have waited for somebody's approval, and who gave it: up to `position` of the source, and no
 * further. What is approved or no longer there stays as the record of it.
 * Reads, writes: only objects of ours. Called by: `emitBookkeeping`.
 */
export const guardBlock: Sql = sql`
  create table if not exists sarrio.guard (
    id uuid not null default pg_catalog.gen_random_uuid(),
    sync text not null,
    source text not null,
    registration uuid not null,
    position text not null,
    findings jsonb not null,
    held_at timestamptz not null default pg_catalog.clock_timestamp(),
    approved_by text,
    approved_at timestamptz,
    withdrawn_at timestamptz,
    primary key (id)
  );
  revoke all on table sarrio.guard from public;
`;
