import { quoteIdent } from '../../sql/quote.ts';

const KNOWN_ROLE = 'coalesce((select known.rolname from pg_catalog.pg_roles as known where known.rolname = $2::name), current_user)';

/**
 * Purpose: what the user's tables that a plan speaks of look like in one database, and what this role may do there. Takes no lock
 * on them (pg_partition_tree would). Reads: pg_catalog. Writes: nothing. Called by: tableFacts.
 * $1: JSON array of {"schema", "name"}; $2: the role that rounds run as; null, or one that does not exist, for this one.
 */
export const TABLE_FACTS = `
with recursive wanted as materialized (
  select distinct w.schema, w.name, c.oid, c.relkind, s.oid as namespace
  from json_to_recordset($1::json) as w(schema text, name text)
  join pg_catalog.pg_namespace as s on s.nspname = w.schema
  join pg_catalog.pg_class as c on c.relnamespace = s.oid and c.relname = w.name
), members as materialized (
  select w.oid as root, w.oid, w.relkind, false as is_part
  from wanted as w
  union all
  select m.root, i.inhrelid, 'p'::"char", true
  from members as m join pg_catalog.pg_inherits as i on i.inhparent = m.oid
  where m.relkind = 'p'
), files as materialized (
  select m.root,
    json_agg(json_build_array(n.nspname, c.relname) order by n.nspname, c.relname) filter (where m.is_part) as partitions,
    json_agg(json_build_array(n.nspname, c.relname, c.relkind, c.reltuples, c.relpages::bigint * current_setting('block_size')::bigint)) as sizes,
    json_agg(json_build_array(n.nspname, c.relname) order by n.nspname, c.relname)
      filter (where m.is_part and not has_table_privilege(c.oid, 'TRIGGER')) as untriggerable,
    json_agg(json_build_array(n.nspname, c.relname) order by n.nspname, c.relname)
      filter (where m.is_part and not has_table_privilege(c.oid, 'SELECT')) as unreadable,
    json_agg(json_build_array(n.nspname, c.relname) order by n.nspname, c.relname) filter (where not pg_has_role(c.relowner, 'USAGE')) as unowned
  from members as m
  join pg_catalog.pg_class as c on c.oid = m.oid
  join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
  group by m.root
)
select w.schema, w.name, w.relkind as kind,
  (select json_agg(json_build_array(a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
      a.atthasdef or a.attidentity <> '', a.attgenerated <> '') order by a.attnum)
    from pg_catalog.pg_attribute as a
    where a.attrelid = w.oid and a.attnum > 0 and not a.attisdropped)::text as columns,
  (select json_agg((select json_agg(a.attname order by a.attname) from pg_catalog.pg_attribute as a
      where a.attrelid = w.oid and a.attnum = any ((i.indkey::int2[])[0:i.indnkeyatts - 1])))
    from pg_catalog.pg_index as i
    where i.indrelid = w.oid and i.indisunique and i.indisvalid and i.indpred is null and i.indexprs is null)::text as unique_keys,
  f.partitions::text as partitions, f.sizes::text as sizes, f.untriggerable::text as untriggerable, f.unreadable::text as unreadable, f.unowned::text as unowned,
  (select json_agg(privilege) from unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER']) as privilege
    where has_table_privilege(w.oid, privilege) and has_schema_privilege(w.namespace, 'USAGE'))::text as privileges,
  row_security_active(w.oid) as row_security,
  (select json_agg(privilege) from unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER']) as privilege
    where has_table_privilege(r.oid, w.oid, privilege) and has_schema_privilege(r.oid, w.namespace, 'USAGE'))::text as runner_privileges,
  quote_ident(pg_get_userbyid(c.relowner)) as owner,
  pg_has_role(r.oid, c.relowner, 'USAGE') as runner_owns, has_schema_privilege(r.oid, w.namespace, 'CREATE') as runner_may_create,
  c.relrowsecurity and not r.rolsuper and not r.rolbypassrls
    and (c.relforcerowsecurity or not pg_has_role(r.oid, c.relowner, 'USAGE')) as runner_row_security
from wanted as w
join files as f on f.root = w.oid
join pg_catalog.pg_class as c on c.oid = w.oid
join pg_catalog.pg_roles as r on r.rolname = ${KNOWN_ROLE}
order by w.schema, w.name
`;

/**
 * Purpose: which of the tables in $1 (JSON array of {"schema", "name"}) may hold rows: those whose files, or files below them by
 * partitioning or inheritance, are not empty. Of another kind of storage nobody knows. Locks each for a moment, none until the end.
 * Reads: pg_catalog. Writes: nothing. Called by: filledTables.
 */
export const FILLED = `
with recursive tree as (
  select w.schema, w.name, c.oid
  from json_to_recordset($1::json) as w(schema text, name text)
  join pg_catalog.pg_namespace as s on s.nspname = w.schema
  join pg_catalog.pg_class as c on c.relnamespace = s.oid and c.relname = w.name
  union all
  select t.schema, t.name, i.inhrelid
  from tree as t
  join pg_catalog.pg_inherits as i on i.inhparent = t.oid
)
select distinct t.schema, t.name
from tree as t
join pg_catalog.pg_class as c on c.oid = t.oid
where case when c.relkind = 'p' then false
  when c.relkind = 'r' and c.relam = (select a.oid from pg_catalog.pg_am as a where a.amname = 'heap') then pg_relation_size(c.oid) > 0
  else true end
`;

/**
 * Purpose: what a role may do with the database as a whole. The right to set a parameter exists from PostgreSQL 15 on; before, a
 * superuser can lend it by a function. Reads: pg_catalog. Writes: nothing. Called by: roleFactsOf. $1: the role, null for this one.
 */
export function roleFacts(serverMajor: number): string {
  const parameter = serverMajor >= 15 ? "has_parameter_privilege(r.oid, 'session_replication_role', 'SET')" : MAY_BORROW;
  return `
select r.rolname as role, current_database() as database_name, pg_is_in_recovery() as in_recovery,
  has_database_privilege(r.oid, current_database(), 'CREATE') as may_create_schema,
  has_database_privilege(r.oid, current_database(), 'TEMPORARY') as may_create_temporary,
  (select has_schema_privilege(r.oid, n.oid, 'CREATE') from pg_catalog.pg_namespace as n where n.nspname = 'sarrio') as may_use_schema,
  (select quote_ident(pg_get_userbyid(n.nspowner)) from pg_catalog.pg_namespace as n where n.nspname = 'sarrio') as schema_owner,
  r.rolsuper or ${parameter} as may_replicate
from pg_catalog.pg_roles as r
where r.rolname = coalesce($1::name, current_user)
`;
}

const MAY_BORROW = `exists (
    select from pg_catalog.pg_proc as f
    join pg_catalog.pg_namespace as n on n.oid = f.pronamespace
    join pg_catalog.pg_roles as o on o.oid = f.proowner
    where n.nspname = 'sarrio_admin' and f.proname = 'replicate' and f.pronargs = 0 and f.prosecdef and o.rolsuper
      and has_schema_privilege(r.oid, n.oid, 'USAGE') and has_function_privilege(r.oid, f.oid, 'EXECUTE'))`;

/**
 * Purpose: on PostgreSQL 14 lets a role that is no superuser write to a target: a superuser runs this once. The function can do one
 * thing, and only for the role. Reads: nothing. Writes: schema sarrio_admin. Called by: nobody, it is printed as a hint.
 */
export function lendReplicationRole(role: string): string {
  return `CREATE SCHEMA IF NOT EXISTS sarrio_admin;
CREATE OR REPLACE FUNCTION sarrio_admin.replicate() RETURNS text LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'select set_config(''session_replication_role'', ''replica'', false)';
REVOKE ALL ON FUNCTION sarrio_admin.replicate() FROM PUBLIC;
GRANT USAGE ON SCHEMA sarrio_admin TO ${quoteIdent(role)};
GRANT EXECUTE ON FUNCTION sarrio_admin.replicate() TO ${quoteIdent(role)};`;
}

/** Purpose: the backend behind a connection and the start of a transaction, to tell a pooler. Reads, writes: nothing. Called by: detectPooler. */
export const BACKEND_PID = 'select pg_backend_pid() as pid';
export const BEGIN_AND_BACKEND_PID = `begin; ${BACKEND_PID}`;
export const END_TRANSACTION = 'rollback';

/**
 * Purpose: which of the rights that a verb needs on objects of ours this role does not have, objects alike together. What is not
 * installed is left out: another check reports it. Reads: pg_catalog. Writes: nothing. Called by: refuseMissingRights.
 * $1: JSON array of {"kind", "name", "bare", "privilege"}.
 */
export const MISSING_RIGHTS = `
with wanted as (
  select w.kind, w.name, w.privilege, n.oid as namespace, coalesce(c.oid, p.oid) as oid
  from json_to_recordset($1::json) as w(kind text, name text, bare text, privilege text)
  join pg_catalog.pg_namespace as n on n.nspname = 'sarrio'
  left join pg_catalog.pg_class as c on c.relnamespace = n.oid and c.relname = w.bare and w.kind in ('table', 'sequence')
  left join pg_catalog.pg_proc as p on p.pronamespace = n.oid and p.proname = w.bare and w.kind = 'function'
), missing as (
  select w.kind, w.name, string_agg(w.privilege, ', ' order by w.privilege) as privileges
  from wanted as w
  where case w.kind
    when 'schema' then not has_schema_privilege(w.namespace, w.privilege)
    when 'function' then not has_function_privilege(w.oid, w.privilege)
    when 'sequence' then not has_sequence_privilege(w.oid, w.privilege)
    else not has_table_privilege(w.oid, w.privilege) end
  group by w.kind, w.name
)
select upper(m.kind) as kind, m.privileges, string_agg(m.name, ', ' order by m.name collate "C") as names
from missing as m
group by m.kind, m.privileges
order by m.kind collate "C", m.privileges collate "C"
`;

/**
 * Purpose: rights on users' sequences that a role lacks; one that does not stand is left out. Reads: pg_catalog. Writes: nothing.
 * Called by: lackingOnSequences. $1: JSON array of {"schema", "name", "privilege"}; $2: the role, null for this one.
 */
export const MISSING_ON_SEQUENCES = `
select w.schema, w.name, string_agg(w.privilege, ', ' order by w.privilege) as privileges
from json_to_recordset($1::json) as w(schema text, name text, privilege text)
join pg_catalog.pg_namespace as n on n.nspname = w.schema
join pg_catalog.pg_class as c on c.relnamespace = n.oid and c.relname = w.name and c.relkind = 'S'
join pg_catalog.pg_roles as r on r.rolname = ${KNOWN_ROLE}
where not has_schema_privilege(r.oid, n.oid, 'USAGE') or not has_sequence_privilege(r.oid, c.oid, w.privilege)
group by w.schema, w.name
order by w.schema collate "C", w.name collate "C"
`;
