import { type Sql, sql } from '../../../sql/sql.ts';

/**
 * Purpose: closing tables to writes and opening them again, and how far a cut-over is; in sources and targets of one-way syncs.
 * Reads: the catalog, sarrio.closed. Writes: triggers on users' tables, only when `sarrio cutover` calls the functions.
 * Called by: `emitBookkeeping`.
 *
 * The triggers are not named like those of capture, which `plan` keeps in order: they stand for as long as a cut-over needs them.
 */
export const cutoverBlock: Sql = sql`
  create table if not exists sarrio.cutover (
    sync text not null,
    target text not null,
    cutover uuid not null default pg_catalog.gen_random_uuid(),
    step text not null,
    started_by text not null,
    started_at timestamptz not null default pg_catalog.clock_timestamp(),
    step_at timestamptz not null default pg_catalog.clock_timestamp(),
    primary key (sync)
  );
  revoke all on table sarrio.cutover from public;
`;

/** Tables (partitions and children too) that take no writes, and the cut-over that closed them. */
export const closedBlock: Sql = sql`
  create table if not exists sarrio.closed (
    relation regclass not null,
    sync text not null,
    cutover uuid not null,
    closed_at timestamptz not null default pg_catalog.clock_timestamp(),
    primary key (relation)
  );
  revoke all on table sarrio.closed from public;
`;

/** The state is the one of a read-only transaction, which clients know as the sign to look for another server. */
export const refuseWriteBlock: Sql = sql`
  create or replace function sarrio.refuse_write() returns trigger
  language plpgsql
  set search_path = pg_catalog, pg_temp
  as $sarrio$
  begin
    raise exception using
      errcode = 'read_only_sql_transaction',
      message = pg_catalog.format('table %I.%I takes no writes: sarrio cutover has closed it for sync %s', tg_table_schema, tg_table_name, tg_argv[0]),
      hint = 'Write to the database that has taken over.';
  end
  $sarrio$;
  revoke all on function sarrio.refuse_write() from public;
`;

/**
 * CREATE TRIGGER waits for every transaction that has written to the table: whatever it wrote before is committed or gone when this
 * returns, and every later statement finds the trigger. Sessions that apply replicated rows (session_replication_role = replica) pass.
 * Row triggers are for statements on a table that this one inherits from, which do not fire its statement triggers.
 */
export const closeTableBlock: Sql = sql`
  create or replace function sarrio.close_table(closing regclass, for_sync text, by_cutover uuid) returns void
  language plpgsql
  set search_path = pg_catalog, pg_temp
  as $sarrio$
  declare
    member record;
  begin
    for member in
      with recursive members as (
        select closing::oid as oid
        union
        select i.inhrelid from pg_catalog.pg_inherits as i join members as m on i.inhparent = m.oid
      )
      select c.oid, c.oid::regclass::text as name, c.relkind
      from members as m
      join pg_catalog.pg_class as c on c.oid = m.oid
      where c.relkind in ('r', 'p')
      order by c.oid
    loop
      if not exists (select from pg_catalog.pg_trigger as t where t.tgrelid = member.oid and t.tgname = 'closed_by_sarrio') then
        execute pg_catalog.format('create trigger closed_by_sarrio before insert or update or delete or truncate on %s
          for each statement execute function sarrio.refuse_write(%L)', member.name, for_sync);
      end if;
      if member.relkind = 'r' and not exists (select from pg_catalog.pg_trigger as t where t.tgrelid = member.oid and t.tgname = 'closed_by_sarrio_rows') then
        execute pg_catalog.format('create trigger closed_by_sarrio_rows before insert or update or delete on %s
          for each row execute function sarrio.refuse_write(%L)', member.name, for_sync);
      end if;
      insert into sarrio.closed (relation, sync, cutover) values (member.oid, for_sync, by_cutover) on conflict (relation) do nothing;
    end loop;
  end
  $sarrio$;
  revoke all on function sarrio.close_table(regclass, text, uuid) from public;
`;

export const openTableBlock: Sql = sql`
  create or replace function sarrio.open_table(opening regclass) returns void
  language plpgsql
  set search_path = pg_catalog, pg_temp
  as $sarrio$
  begin
    execute pg_catalog.format('drop trigger if exists closed_by_sarrio on %s', opening);
    execute pg_catalog.format('drop trigger if exists closed_by_sarrio_rows on %s', opening);
    delete from sarrio.closed as c where c.relation = opening;
  end
  $sarrio$;
  revoke all on function sarrio.open_table(regclass) from public;
`;
