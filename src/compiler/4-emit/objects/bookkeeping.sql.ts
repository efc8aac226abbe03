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
 * more and has to begin a new life.
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
    add column if not exists detached_reason text;
  revoke all on table sarrio.acknowledged from public;
`;

/** In a source: syncs that rest until `sarrio resume`, whichever runner asks. */
export const pausedBlock: Sql = sql`
  create table if not exists sarrio.paused (
    sync text not null primary key,
    paused_by text not null,
    paused_at timestamptz not null default pg_catalog.now()
  );
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
  revoke all on table sarrio.migration from public;
`;

/**
 * Called by capture triggers that find the runner asleep. NOTIFY would forbid PREPARE TRANSACTION to the application, so where the
 * server allows prepared transactions the flag is set to 3 (kicked) instead, which no rollback undoes and which the runner polls.
 *
 * NOTIFY takes a lock that all committing notifiers of the server share, so a runner that went away while the flag was armed must not
 * leave every transaction notifying: whoever finds the lock that a listening runner holds free takes the flag back to 1 (busy). A
 * runner that comes at that moment takes the lock first and arms afterwards; where its flag is taken back all the same, it notices.
 */
export const wakeFunctionBlock: Sql = sql`
  create or replace function sarrio.wake(sync text, flag regclass) returns void
  language plpgsql
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  as $sarrio$
  begin
    if pg_catalog.current_setting('max_prepared_transactions') operator(pg_catalog.<>) '0' then
      perform pg_catalog.setval(flag, 3);
      return;
    end if;
    begin
      if pg_catalog.pg_try_advisory_xact_lock(pg_catalog.hashtextextended('sarrio listens: ' operator(pg_catalog.||) sync, 0)) then
        -- Taken back at once: a lock kept to the end of the transaction would keep a runner waiting.
        raise exception using errcode = 'SR001';
      end if;
    exception when sqlstate 'SR001' then
      perform pg_catalog.setval(flag, 1);
      return;
    end;
    perform pg_catalog.pg_notify('sarrio', sync);
  end
  $sarrio$;
  revoke all on function sarrio.wake(text, regclass) from public;
`;

/**
 * In a source: its value changes whenever the first change comes into an empty delta table, and after one was marked empty. So a round
 * that finds the value which it knows need not read the flags of a thousand tables again.
 */
export const fillingsBlock: Sql = sql`
  create sequence if not exists sarrio.fillings as bigint;
  revoke all on sequence sarrio.fillings from public;
`;

/**
 * Called by whoever has written an entry and does not find the table's flag at 2. The flag says 2 only when `fillings` has changed since
 * it last said 1: in between it says nothing (null), and whoever meets it so, perhaps because the first one was killed right there,
 * does all of this himself.
 */
export const markFilledBlock: Sql = sql`
  create or replace function sarrio.mark_filled(flag regclass) returns void
  language plpgsql
  volatile
  security definer
  set search_path = pg_catalog, pg_temp
  as $sarrio$
  begin
    perform pg_catalog.setval(flag, 2, false);
    perform pg_catalog.nextval('sarrio.fillings'::pg_catalog.regclass);
    perform pg_catalog.setval(flag, 2);
  end
  $sarrio$;
  revoke all on function sarrio.mark_filled(regclass) from public;
`;

/** A sequence as a flag that no snapshot can hide: 1 = the runner is busy, 2 = it sleeps, wake it (armed), 3 = kicked. */
export function wakeSequenceBlock(sequence: Sql): Sql {
  return sql`
    create sequence if not exists ${sequence} as bigint minvalue 1 maxvalue 3 start with 1 no cycle;
    revoke all on sequence ${sequence} from public;
  `;
}
