/**
 * Purpose: what of a database may hurt replication sooner or later, for `sarrio doctor`: its clock, tables that are unlogged, bloated or
 * without a replica identity, publications and subscriptions that meet ours, transactions that are old. Takes no lock on users' tables.
 * Reads: pg_catalog and its statistics. Writes: nothing. Called by: readHealth. $1: JSON array of {"schema", "name"}.
 */
export const HEALTH = `
with recursive wanted as (
  select c.oid, w.schema, w.name
  from json_to_recordset($1::json) as w(schema text, name text)
  join pg_catalog.pg_namespace as s on s.nspname = w.schema
  join pg_catalog.pg_class as c on c.relnamespace = s.oid and c.relname = w.name and c.relkind in ('r', 'p')
), all_of as (
  select w.oid, w.schema, w.name from wanted as w
  union
  select i.inhrelid, n.nspname, c.relname
  from all_of as a
  join pg_catalog.pg_inherits as i on i.inhparent = a.oid
  join pg_catalog.pg_class as c on c.oid = i.inhrelid and c.relispartition
  join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
), tables as (
  select json_agg(json_build_object(
    'schema', a.schema, 'name', a.name, 'persistence', c.relpersistence, 'isParent', c.relkind = 'p',
    'live', coalesce(s.n_live_tup, 0), 'dead', coalesce(s.n_dead_tup, 0),
    'noVacuum', coalesce(array_to_string(c.reloptions, ',') ~ 'autovacuum_enabled=(false|off|no|0)', false),
    'noIdentity', c.relreplident = 'n' or (c.relreplident = 'd' and not exists (
      select from pg_catalog.pg_index as k where k.indrelid = c.oid and k.indisprimary)),
    'published', (
      select coalesce(json_agg(p.pubname order by p.pubname), '[]')
      from pg_catalog.pg_publication_tables as t
      join pg_catalog.pg_publication as p on p.pubname = t.pubname
      where t.schemaname = a.schema and t.tablename = a.name and (p.pubupdate or p.pubdelete)),
    'subscribed', (
      select coalesce(json_agg(b.subname order by b.subname), '[]')
      from pg_catalog.pg_subscription_rel as r join pg_catalog.pg_subscription as b on b.oid = r.srsubid
      where r.srrelid = a.oid)
  ) order by a.schema, a.name) as list
  from all_of as a
  join pg_catalog.pg_class as c on c.oid = a.oid
  left join pg_catalog.pg_stat_all_tables as s on s.relid = a.oid
), publications as (
  select json_agg(distinct t.pubname) as list from pg_catalog.pg_publication_tables as t where t.schemaname = 'sarrio'
), transactions as (
  select json_agg(json_build_object('who', x.who, 'seconds', x.seconds, 'cure', x.cure) order by x.seconds desc) as list
  from (
    select format('backend %s (%s, user %s, %s)', a.pid, coalesce(nullif(a.application_name, ''), 'no application_name'), a.usename, a.state) as who,
      extract(epoch from clock_timestamp() - a.xact_start)::int as seconds, format('SELECT pg_terminate_backend(%s);', a.pid) as cure
    from pg_catalog.pg_stat_activity as a
    where a.datname = current_database() and a.pid <> pg_backend_pid() and a.xact_start < clock_timestamp() - interval '1 hour'
    union all
    select format('prepared transaction %L of %s', p.gid, p.owner), extract(epoch from clock_timestamp() - p.prepared)::int,
      format('ROLLBACK PREPARED %L; -- or COMMIT PREPARED', p.gid)
    from pg_catalog.pg_prepared_xacts as p
    where p.database = current_database() and p.prepared < clock_timestamp() - interval '1 hour'
  ) as x
)
select (extract(epoch from clock_timestamp()) * 1000)::bigint as now,
  coalesce((select list from tables), '[]')::text as tables,
  coalesce((select list from publications), '[]')::text as publications,
  coalesce((select list from transactions), '[]')::text as transactions
`;
