/** A session of pg_stat_activity `a`, for people. */
const WHO = `format('backend %s (%s, user %s, %s)', a.pid, coalesce(nullif(a.application_name, ''), 'no application_name'), a.usename, a.state)`;

/**
 * Purpose: what of a database may hurt replication sooner or later, for `sarrio doctor`: its clock, tables that are unlogged, bloated or
 * without a replica identity, publications and subscriptions that meet ours, transactions that are old, sessions that wait for others,
 * what fills the disk. Takes no lock on users' tables. The data directory is shown only to roles that may read all settings.
 * Reads: pg_catalog and its statistics. Writes: nothing. Called by: readHealth. $1: JSON array of {"schema", "name"}.
 */
export const HEALTH = `
with recursive wanted as (
  select c.oid, w.schema, w.name
  from json_to_recordset($1::json) as w(schema text, name text)
  join pg_catalog.pg_namespace as s on s.nspname = w.schema
  join pg_catalog.pg_class as c on c.relnamespace = s.oid and c.relname = w.name and c.relkind in ('r', 'p')
), all_of as (
  select w.oid, w.schema collate "C" as schema, w.name collate "C" as name from wanted as w
  union
  select i.inhrelid, n.nspname::text, c.relname::text
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
    select ${WHO} as who,
      extract(epoch from clock_timestamp() - a.xact_start)::int as seconds, format('SELECT pg_terminate_backend(%s);', a.pid) as cure
    from pg_catalog.pg_stat_activity as a
    where a.datname = current_database() and a.pid <> pg_backend_pid() and a.xact_start < clock_timestamp() - interval '1 hour'
    union all
    select format('prepared transaction %L of %s', p.gid, p.owner), extract(epoch from clock_timestamp() - p.prepared)::int,
      format('ROLLBACK PREPARED %L; -- or COMMIT PREPARED', p.gid)
    from pg_catalog.pg_prepared_xacts as p
    where p.database = current_database() and p.prepared < clock_timestamp() - interval '1 hour'
  ) as x
), waiting as (
  select a.pid, ${WHO} as who, a.application_name like 'sarrio %' as is_ours,
    extract(epoch from clock_timestamp() - a.state_change)::int as seconds, pg_blocking_pids(a.pid) as blockers
  from pg_catalog.pg_stat_activity as a
  where a.datname = current_database() and a.wait_event_type = 'Lock'
), waits as (
  select json_agg(json_build_object('who', w.who, 'seconds', w.seconds, 'by', ${WHO}, 'cure', format('SELECT pg_terminate_backend(%s);', a.pid)) order by w.pid, a.pid) as list
  from waiting as w
  join pg_catalog.pg_stat_activity as a on a.pid = any (w.blockers)
  where w.is_ours or a.application_name like 'sarrio %'
), slots as (
  select json_agg(json_build_object('name', s.slot_name, 'bytes', s.bytes) order by s.slot_name) as list
  from (
    select r.slot_name, pg_wal_lsn_diff(case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end, r.restart_lsn)::bigint as bytes
    from pg_catalog.pg_replication_slots as r
    where not r.active and r.restart_lsn is not null
  ) as s
)
select (extract(epoch from clock_timestamp()) * 1000)::bigint as now,
  coalesce((select list from tables), '[]')::text as tables,
  coalesce((select list from publications), '[]')::text as publications,
  coalesce((select list from transactions), '[]')::text as transactions,
  coalesce((select list from waits), '[]')::text as waits,
  coalesce((select list from slots), '[]')::text as slots,
  case when inet_server_addr() is null or inet_server_addr() = inet_client_addr() then (
    select s.setting from pg_catalog.pg_settings as s where s.name = 'data_directory') end as directory
`;

/**
 * Purpose: what a support bundle tells of a server beside the findings: its version, settings that change how we do, and its sessions, without
 * the texts of their statements, which may hold values. Reads: pg_catalog. Writes: nothing. Called by: readSurroundings.
 */
export const SURROUNDINGS = `
select version() as version,
  (select json_object_agg(s.name, s.setting order by s.name)
    from pg_catalog.pg_settings as s
    where s.name in ('max_connections', 'max_locks_per_transaction', 'max_prepared_transactions', 'statement_timeout', 'lock_timeout',
      'idle_in_transaction_session_timeout', 'deadlock_timeout', 'wal_level', 'max_wal_size', 'max_slot_wal_keep_size', 'synchronous_commit',
      'track_commit_timestamp', 'autovacuum', 'shared_buffers', 'work_mem', 'server_encoding', 'TimeZone', 'default_transaction_isolation'))::text as settings,
  (select json_agg(json_build_object('pid', a.pid, 'application', a.application_name, 'user', a.usename, 'state', a.state,
      'wait', concat_ws(':', a.wait_event_type, a.wait_event), 'transactionSeconds', extract(epoch from clock_timestamp() - a.xact_start)::int,
      'statementSeconds', extract(epoch from clock_timestamp() - a.query_start)::int, 'blockedBy', to_json(pg_blocking_pids(a.pid))) order by a.pid)
    from (select * from pg_catalog.pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() order by pid limit 200) as a)::text as sessions
`;
