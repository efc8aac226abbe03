import { type Sql, sql } from '../../../sql/sql.ts';

/**
 * Purpose: the bookkeeping tables of members of multi-master syncs.
 * Reads, writes: only objects of ours. Called by: `emitBookkeeping`.
 */

/**
 * In a member of a multi-master sync: every conflict and how it was decided, the same at every member that took part. `versions` holds
 * what each of them had, `positions` how far each had seen the others.
 */
export const conflictBlock: Sql = sql`
  create table if not exists sarrio.conflict (
    id uuid not null,
    sync text not null,
    relation text not null,
    key jsonb not null,
    kind text not null,
    strategy text not null,
    handler_hash text,
    decision text not null,
    versions jsonb not null,
    positions jsonb,
    decided_at timestamptz not null default pg_catalog.clock_timestamp(),
    primary key (id)
  );
  revoke all on table sarrio.conflict from public;
`;

/** For showing the latest, and for removing the oldest. */
export const conflictIndexBlock: Sql = sql`create index if not exists conflict_decided_at on sarrio.conflict (decided_at);`;

/**
 * In a member: keeps applications from writing to a table while `sarrio migrate` lets its last changes reach the other members. The triggers
 * that call it are made and taken away by that command. Rounds (session_replication_role = replica) pass. The state is that of a conflict
 * with another transaction, upon which clients try again.
 */
export const refuseMigratingBlock: Sql = sql`
  create or replace function sarrio.refuse_migrating() returns trigger
  language plpgsql
  set search_path = pg_catalog, pg_temp
  as $sarrio$
  begin
    raise exception using
      errcode = 'serialization_failure',
      message = pg_catalog.format('table %I.%I takes no writes for a moment: sarrio migrate lets all members have its last changes first', tg_table_schema, tg_table_name),
      hint = 'Try again. If that command was ended half way, the same command again finishes it; sarrio migrate --undo takes it back.';
  end
  $sarrio$;
  revoke all on function sarrio.refuse_migrating() from public;
`;

/**
 * In a member: where a table's rows stand when they have not moved with the watermark of a source, because the table is stopped or was
 * while that source was there. Written in the transaction that moves the watermark. Nothing that it still needs is purged.
 */
export const heldBlock: Sql = sql`
  create table if not exists sarrio.held (
    sync text not null,
    source text not null,
    relation text not null,
    position text not null,
    held_at timestamptz not null default pg_catalog.clock_timestamp(),
    primary key (sync, source, relation)
  );
  revoke all on table sarrio.held from public;
`;

/** In a member or a target: tables that a runner has stopped while the rest of their sync goes on, with the reason, for `sarrio status`. */
export const stoppedBlock: Sql = sql`
  create table if not exists sarrio.stopped (
    sync text not null,
    relation text not null,
    code text not null,
    message text not null,
    hint text not null,
    key jsonb,
    stopped_at timestamptz not null default pg_catalog.clock_timestamp(),
    primary key (sync, relation)
  );
  revoke all on table sarrio.stopped from public;
`;

/** In a member: rows that a round has taken out of their table at every member, because another one holds their unique value. */
export const parkedBlock: Sql = sql`
  create table if not exists sarrio.parked (
    sync text not null,
    relation text not null,
    key jsonb not null,
    error_code text not null,
    error text not null,
    row jsonb,
    parked_at timestamptz not null default pg_catalog.clock_timestamp(),
    primary key (sync, relation, key)
  );
  revoke all on table sarrio.parked from public;
`;
