import { type Sql, sql } from '../../../sql/sql.ts';

/**
 * Purpose: schema `sarrio` and its bookkeeping tables, the same in every database that takes part.
 * Reads, writes: only objects of ours. Called by: `emitBookkeeping`.
 *
 * Every table has a primary key, so that a publication FOR ALL TABLES does not make our updates fail. What a table got after it had first
 * been installed somewhere is added where it is missing: the table keeps its rows.
 */
export const schemaBlock: Sql = sql`
  create schema if not exists sarrio;
  comment on schema sarrio is 'Replication by sarrio: captured changes and positions. Remove it with: sarrio destroy';
`;

export const installedBlock: Sql = sql`
  create table if not exists sarrio.installed (
    kind text not null,
    name text not null,
    project text not null,
    hash text not null,
    fingerprint text not null,
    plan_format text not null,
    installed_at timestamptz not null default pg_catalog.now(),
    primary key (kind, name)
  );
  revoke all on table sarrio.installed from public;
`;

/**
 * In a target: the position that it has durably applied from each source. Updated in the transaction that applies the rows: the fence.
 * `acknowledged` is the last position that the source has recorded as such: a source that does not know it was put back in time.
 * Between masters `copied_xid` is the transaction in which rows were last copied from there: of what was changed here before, they may
 * hold nothing. `unverified_since` is set when the source came back with another history, in which it may lack rows that stand here.
 * `resting` are tables that no round writes to until a migration is through: whoever holds the row's lock knows them.
 */
export const watermarkBlock: Sql = sql`
  create table if not exists sarrio.watermark (
    sync text not null,
    source text not null,
    position text not null,
    registration uuid not null,
    acknowledged text,
    unverified_since timestamptz,
    unverified_reason text,
    applied_rows bigint not null default 0,
    applied_rounds bigint not null default 0,
    applied_at timestamptz not null default pg_catalog.now(),
    copied_xid xid8,
    primary key (sync, source)
  );
  alter table sarrio.watermark add column if not exists resting text[] not null default '{}';
  alter table sarrio.watermark
    add column if not exists acknowledged text,
    add column if not exists unverified_since timestamptz,
    add column if not exists unverified_reason text,
    add column if not exists copied_xid xid8;
  revoke all on table sarrio.watermark from public;
`;

/**
 * In a target: tables that were copied, each with the position of its copy until a round joins it to the stream's watermark.
 * `capture` is the oid of the delta table that was there then: a capture made anew has a gap, so the table is copied again.
 */
export const initialCopyBlock: Sql = sql`
  create table if not exists sarrio.initial_copy (
    sync text not null,
    source text not null,
    relation text not null,
    capture oid not null,
    position text not null,
    is_joined boolean not null default false,
    copied_rows bigint not null default 0,
    copied_at timestamptz not null default pg_catalog.now(),
    primary key (sync, source, relation)
  );
  revoke all on table sarrio.initial_copy from public;
`;

/**
 * In a source: what each registered target has durably applied, for purging only. A null position holds every change. A watermark
 * with another registration belongs to an earlier life of the stream, whose changes may be gone. A detached stream holds nothing any
 * more and has to begin a new life. The position speaks for the delta tables in `captures` alone, those that whoever acknowledged it knew of;
 * `captures_for` names that list and the position that it was said with.
 */
export const acknowledgedBlock: Sql = sql`
  create table if not exists sarrio.acknowledged (
    sync text not null,
    target text not null,
    registration uuid not null default pg_catalog.gen_random_uuid(),
    position text,
    replace_rows boolean not null default false,
    detached_at timestamptz,
    detached_reason text,
    acknowledged_at timestamptz not null default pg_catalog.now(),
    primary key (sync, target)
  );
  alter table sarrio.acknowledged
    add column if not exists detached_at timestamptz,
    add column if not exists detached_reason text,
    add column if not exists captures text[],
    add column if not exists captures_for text;
  revoke all on table sarrio.acknowledged from public;
`;

/** In a source: syncs that rest until `sarrio resume`, or until a time, whichever runner asks. */
export const pausedBlock: Sql = sql`
  create table if not exists sarrio.paused (
    sync text not null primary key,
    paused_by text not null,
    paused_at timestamptz not null default pg_catalog.now()
  );
  alter table sarrio.paused
    add column if not exists reason text,
    add column if not exists until timestamptz;
  revoke all on table sarrio.paused from public;
`;

/**
 * In a source: its value changes after every change to who holds changes back (registered, detached, paused), so that a running
 * stream notices at its next look. A sequence, because no snapshot hides its value.
 */
export const registryBlock: Sql = sql`
  create sequence if not exists sarrio.registry as bigint;
  revoke all on sequence sarrio.registry from public;
`;

/**
 * In a source, for each captured table: what the catalog said of its capture when apply left it. Another answer later means that
 * changes may have gone by uncaptured. `broken_at` is set by a runner that notices, and taken back by the apply that repairs.
 */
export const sealBlock: Sql = sql`
  create table if not exists sarrio.seal (
    delta text not null,
    seal text not null,
    sealed_at timestamptz not null default pg_catalog.now(),
    broken_at timestamptz,
    broken_reason text,
    primary key (delta)
  );
  revoke all on table sarrio.seal from public;
`;

/** In a source: what the runner last said of each stream, for `sarrio status`. */
export const streamBlock: Sql = sql`
  create table if not exists sarrio.stream (
    sync text not null,
    target text not null,
    state text not null,
    runner text not null,
    rows_per_second double precision not null default 0,
    last_round_at timestamptz,
    last_error text,
    last_error_at timestamptz,
    reported_at timestamptz not null default pg_catalog.now(),
    primary key (sync, target)
  );
  revoke all on table sarrio.stream from public;
`;

/** In a database with sequences that are carried from it, or count in steps: what the runner last saw of them. `alarmed_at` stands from 90 % on. */
export const sequenceBlock: Sql = sql`
  create table if not exists sarrio.sequence (
    sequence text not null,
    last_value bigint not null,
    ends_at bigint not null,
    percent integer not null,
    alarmed_at timestamptz,
    looked_at timestamptz not null default pg_catalog.clock_timestamp(),
    primary key (sequence)
  );
  revoke all on table sarrio.sequence from public;
`;

/** In a target: each of its sequences that follows one of the source, as the runner last left it, and why it could not be carried. */
export const carriedBlock: Sql = sql`
  create table if not exists sarrio.carried (
    sync text not null,
    source text not null,
    origin text not null,
    sequence text not null,
    source_value bigint,
    value bigint,
    error text,
    carried_at timestamptz not null default pg_catalog.clock_timestamp(),
    primary key (sync, source, origin, sequence)
  );
  revoke all on table sarrio.carried from public;
`;

/**
 * In every database: migrations of the users' tables that `sarrio migrate` has begun here. `done_at` is written in the transaction of the
 * migration's own statements, so each of them runs once, whatever ends the command. `tables` rest until it is through everywhere.
 */
export const migrationBlock: Sql = sql`
  create table if not exists sarrio.migration (
    migration text not null,
    project text not null,
    file text not null,
    statements text not null,
    direction text not null,
    tables text[] not null default '{}',
    begun_by text not null,
    begun_at timestamptz not null default pg_catalog.clock_timestamp(),
    done_at timestamptz,
    ended_at timestamptz,
    primary key (migration)
  );
  alter table sarrio.migration
    add column if not exists plan text,
    add column if not exists touched text[] not null default '{}';
  revoke all on table sarrio.migration from public;
`;
