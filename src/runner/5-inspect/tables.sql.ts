/**
 * Purpose: what the user's tables that a plan speaks of look like in one database, and what this role may do there. Takes no lock
 * on them (pg_partition_tree would). Reads: pg_catalog. Writes: nothing. Called by: readTables.
 * $1: JSON array of {"schema", "name"}.
 */
export const TABLE_FACTS = `
with recursive wanted as (
  select w.schema, w.name, c.oid, c.relkind, s.oid as namespace
  from json_to_recordset($1::json) as w(schema text, name text)
  join pg_catalog.pg_namespace as s on s.nspname = w.schema
  join pg_catalog.pg_class as c on c.relnamespace = s.oid and c.relname = w.name
), below as (
  select w.oid as root, i.inhrelid as oid
  from wanted as w join pg_catalog.pg_inherits as i on i.inhparent = w.oid
  where w.relkind = 'p'
  union all
  select b.root, i.inhrelid
  from below as b join pg_catalog.pg_inherits as i on i.inhparent = b.oid
), partitions as (
  select b.root, b.oid, json_build_array(n.nspname, c.relname) as name
  from below as b
  join pg_catalog.pg_class as c on c.oid = b.oid
  join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
)
select w.schema, w.name, w.relkind as kind,
  (select json_agg(json_build_array(a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull) order by a.attnum)
    from pg_catalog.pg_attribute as a
    where a.attrelid = w.oid and a.attnum > 0 and not a.attisdropped)::text as columns,
  (select json_agg((select json_agg(a.attname order by a.attname) from pg_catalog.pg_attribute as a
      where a.attrelid = w.oid and a.attnum = any ((i.indkey::int2[])[0:i.indnkeyatts - 1])))
    from pg_catalog.pg_index as i
    where i.indrelid = w.oid and i.indisunique and i.indisvalid and i.indpred is null and i.indexprs is null)::text as unique_keys,
  (select json_agg(p.name order by p.name::text) from partitions as p where p.root = w.oid)::text as partitions,
  (select json_agg(privilege) from unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRIGGER']) as privilege
    where has_table_privilege(w.oid, privilege) and has_schema_privilege(w.namespace, 'USAGE'))::text as privileges,
  (select json_agg(p.name order by p.name::text) from partitions as p
    where p.root = w.oid and not has_table_privilege(p.oid, 'TRIGGER'))::text as untriggerable,
  (select json_agg(json_build_array(n.nspname, c.relname) order by n.nspname, c.relname)
    from pg_catalog.pg_class as c
    join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
    where (c.oid = w.oid or c.oid in (select p.oid from partitions as p where p.root = w.oid)) and not pg_has_role(c.relowner, 'USAGE'))::text as unowned,
  row_security_active(w.oid) as row_security
from wanted as w
order by w.schema, w.name
`;

/**
 * Purpose: what this role may do with the database as a whole. The right to set a parameter exists from PostgreSQL 15 on.
 * Reads: pg_catalog. Writes: nothing. Called by: readRole.
 */
export function roleFacts(serverMajor: number): string {
  const parameter = serverMajor >= 15 ? "has_parameter_privilege('session_replication_role', 'SET')" : 'false';
  return `
select current_user as role, current_database() as database_name, pg_is_in_recovery() as in_recovery,
  has_database_privilege(current_database(), 'CREATE') as may_create_schema,
  has_database_privilege(current_database(), 'TEMPORARY') as may_create_temporary,
  (select has_schema_privilege(n.oid, 'CREATE') from pg_catalog.pg_namespace as n where n.nspname = 'sarrio') as may_use_schema,
  (select quote_ident(pg_get_userbyid(n.nspowner)) from pg_catalog.pg_namespace as n where n.nspname = 'sarrio') as schema_owner,
  r.rolsuper or ${parameter} as may_replicate
from pg_catalog.pg_roles as r
where r.rolname = current_user
`;
}

/** Purpose: the backend behind a connection and the start of a transaction, to tell a pooler. Reads, writes: nothing. Called by: detectPooler. */
export const BACKEND_PID = 'select pg_backend_pid() as pid';
export const BEGIN_AND_BACKEND_PID = `begin; ${BACKEND_PID}`;
export const END_TRANSACTION = 'rollback';
