import { type Sql, sql } from '../../../sql/sql.ts';

/**
 * Purpose: in a target whose config asks for it, indexes that are taken away while a large table is copied, and built again afterwards.
 * Reads: the catalog, sarrio.set_aside. Writes: sarrio.set_aside; indexes of users' tables, only when a copy, or apply or destroy before
 * they drop these functions, calls them. Called by: `emitBookkeeping`.
 *
 * The definition is written down in the transaction that drops the index, and forgotten in the one that builds it.
 */
export const setAsideBlock: Sql = sql`
  create table if not exists sarrio.set_aside (
    indexed oid not null,
    name text not null,
    sync text not null,
    source text not null,
    relation text not null,
    schema text not null,
    definition text not null,
    tablespace text not null,
    is_clustered boolean not null,
    comment text,
    statistics jsonb,
    set_aside_at timestamptz not null default pg_catalog.clock_timestamp(),
    primary key (indexed, name)
  );
  revoke all on table sarrio.set_aside from public;
`;

/**
 * Only what the catalog says of an index that stands gets into the table, whoever calls this: the definitions are executed by others. It runs
 * as its owner, since the runner may not write there otherwise.
 */
export const noteIndexBlock: Sql = sql`
  create or replace function sarrio.note_index(noted oid, for_sync text, from_source text, as_relation text) returns void
  language sql
  security definer
  set search_path = pg_catalog, pg_temp
  as $sarrio$
    insert into sarrio.set_aside (indexed, name, sync, source, relation, schema, definition, tablespace, is_clustered, comment, statistics)
    select i.indrelid, c.relname, for_sync, from_source, as_relation, n.nspname, pg_catalog.pg_get_indexdef(c.oid), coalesce(s.spcname, ''), i.indisclustered,
      pg_catalog.obj_description(c.oid, 'pg_class'),
      (select pg_catalog.jsonb_object_agg(a.attnum, a.attstattarget) from pg_catalog.pg_attribute as a where a.attrelid = c.oid and a.attstattarget >= 0)
    from pg_catalog.pg_index as i
    join pg_catalog.pg_class as c on c.oid = i.indexrelid
    join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
    left join pg_catalog.pg_tablespace as s on s.oid = c.reltablespace
    where i.indexrelid = noted
  $sarrio$;
  revoke all on function sarrio.note_index(oid, text, text, text) from public;
`;

/**
 * Unique and exclusion indexes stay, the key's among them: ranges of several snapshots tell rows apart by them, and foreign keys of other
 * tables hang on them. So do indexes that are not valid, that belong to an index of a partitioned table, or that an extension claims.
 * Whoever may not build an index here may not take one away either. Returns how many were.
 */
export const setIndexesAsideBlock: Sql = sql`
  create or replace function sarrio.set_indexes_aside(of_table regclass, for_sync text, from_source text, as_relation text) returns bigint
  language plpgsql
  set search_path = pg_catalog, pg_temp
  set lock_timeout = '3s'
  as $sarrio$
  declare
    leaving record;
    taken bigint := 0;
  begin
    execute pg_catalog.format('lock table %s in access exclusive mode', of_table);
    for leaving in
      select c.oid, c.relname as name, n.nspname as schema, pg_catalog.pg_get_userbyid(t.relowner) as owner, pg_catalog.pg_has_role(t.relowner, 'USAGE') as is_owner,
        pg_catalog.has_schema_privilege(n.oid, 'CREATE') and (s.oid is null or pg_catalog.has_tablespace_privilege(s.oid, 'CREATE')) as may_return
      from pg_catalog.pg_index as i
      join pg_catalog.pg_class as t on t.oid = i.indrelid
      join pg_catalog.pg_class as c on c.oid = i.indexrelid
      join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
      left join pg_catalog.pg_tablespace as s on s.oid = c.reltablespace
      where i.indrelid = of_table and t.relkind = 'r' and i.indisvalid and i.indisready
        and not i.indisunique and not i.indisprimary and not i.indisexclusion and not i.indisreplident
        and not exists (select from pg_catalog.pg_inherits as h where h.inhrelid = c.oid)
        and not exists (select from pg_catalog.pg_constraint as k where k.conindid = c.oid)
        and not exists (
          select from pg_catalog.pg_depend as d
          where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = c.oid and d.deptype in ('x', 'e')
            or d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.refobjid = c.oid
        )
      order by c.relname
    loop
      if not leaving.is_owner then
        raise insufficient_privilege using
          message = pg_catalog.format('role %I does not own table %s, so it may not set its indexes aside (copy: rebuildIndexes)', current_user, of_table),
          hint = pg_catalog.format('GRANT %I TO %I; or leave rebuildIndexes out.', leaving.owner, current_user);
      end if;
      if not leaving.may_return then
        raise insufficient_privilege using
          message = pg_catalog.format('role %I may not build index %I.%I again, so it stays', current_user, leaving.schema, leaving.name),
          hint = pg_catalog.format('GRANT CREATE ON SCHEMA %I TO %I; and CREATE on the tablespace of the index, if it has one.', leaving.schema, current_user);
      end if;
      perform sarrio.note_index(leaving.oid, for_sync, from_source, as_relation);
      execute pg_catalog.format('drop index %I.%I', leaving.schema, leaving.name);
      taken := taken + 1;
    end loop;
    return taken;
  end
  $sarrio$;
  revoke all on function sarrio.set_indexes_aside(regclass, text, text, text) from public;
`;

/** An index that somebody has built himself meanwhile stays if it is the same. False when nothing was to be done any more. */
export const putIndexBackBlock: Sql = sql`
  create or replace function sarrio.put_index_back(of_table oid, index_name text) returns boolean
  language plpgsql
  set search_path = pg_catalog, pg_temp
  as $sarrio$
  declare
    returning_index sarrio.set_aside;
    standing oid;
    statistic record;
  begin
    delete from sarrio.set_aside as s where s.indexed = of_table and s.name = index_name returning * into returning_index;
    if not found then
      return false;
    end if;
    if exists (select from pg_catalog.pg_class as c where c.oid = of_table) then
      select c.oid into standing
      from pg_catalog.pg_class as c
      join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
      where n.nspname = returning_index.schema and c.relname = index_name;
      if standing is null then
        perform pg_catalog.set_config('default_tablespace', returning_index.tablespace, true);
        execute returning_index.definition;
      elsif pg_catalog.pg_get_indexdef(standing) is distinct from returning_index.definition then
        raise duplicate_table using
          message = pg_catalog.format('%I.%I stands in the way of an index that was set aside for a copy', returning_index.schema, index_name),
          hint = pg_catalog.format('Drop or rename it; what is to be built: %s', returning_index.definition);
      end if;
      if returning_index.comment is not null then
        execute pg_catalog.format('comment on index %I.%I is %L', returning_index.schema, index_name, returning_index.comment);
      end if;
      for statistic in select * from pg_catalog.jsonb_each_text(returning_index.statistics) loop
        execute pg_catalog.format('alter index %I.%I alter column %s set statistics %s', returning_index.schema, index_name, statistic.key, statistic.value);
      end loop;
      if returning_index.is_clustered then
        execute pg_catalog.format('alter table %s cluster on %I', of_table::regclass, index_name);
      end if;
    end if;
    return true;
  end
  $sarrio$;
  revoke all on function sarrio.put_index_back(oid, text) from public;
`;
