import { literal, type QualifiedName, tableIdent } from '../../sql/quote.ts';
import { join, type Sql, sql } from '../../sql/sql.ts';

/**
 * Purpose: opens the transaction of one group; a lock that is not given within the timeout fails it, so that writers who queue
 * behind us go on. Reads, writes: nothing. Called by: runGroup.
 */
export function beginGroup(lockTimeoutMs: number): string {
  return sql`
    begin;
    set local lock_timeout = ${literal(`${lockTimeoutMs}ms`)};
  `.text;
}

export const COMMIT_GROUP = 'commit';
export const ROLLBACK_GROUP = 'rollback';

/**
 * Purpose: which of the tables this role may lock by itself; TRIGGER alone does not allow it, then CREATE TRIGGER takes the lock.
 * Reads: pg_catalog. Writes: nothing. Called by: lockTables. $1: JSON array of {"schema", "name"}.
 */
export const LOCKABLE = `
select w.position
from json_to_recordset($1::json) as w(position int, schema text, name text)
join pg_catalog.pg_namespace as s on s.nspname = w.schema
join pg_catalog.pg_class as c on c.relnamespace = s.oid and c.relname = w.name
where has_table_privilege(c.oid, 'UPDATE, DELETE, TRUNCATE')
order by w.position
`;

/**
 * Purpose: takes all locks on user's tables before anything else. The timeout counts for all of them together: the first one
 * blocks writers while we wait for the last. Reads, writes: nothing. Called by: lockTables.
 */
export function lockTablesSql(options: { tables: readonly QualifiedName[]; mode: string; timeoutMs: number }): string {
  const tables = join(
    options.tables.map((table) => sql`only ${tableIdent(table)}`),
    ', ',
  );
  return sql`
    set local statement_timeout = ${literal(`${options.timeoutMs}ms`)};
    lock table ${tables} in ${lockMode(options.mode)} mode;
    set local statement_timeout = 0;
  `.text;
}

function lockMode(mode: string): Sql {
  if (/^access exclusive$/i.test(mode)) return sql`access exclusive`;
  if (/^share row exclusive$/i.test(mode)) return sql`share row exclusive`;
  throw new Error(`no such lock mode in a plan: ${mode}`);
}

/**
 * Purpose: who stands in our way, right after a lock was not given. $1: JSON array of {"schema", "name"}, empty for objects of ours.
 * Reads: pg_locks, pg_stat_activity. Writes: nothing. Called by: lockHolders.
 */
export const LOCK_HOLDERS = `
with wanted as (
  select c.oid
  from json_to_recordset($1::json) as w(schema text, name text)
  join pg_catalog.pg_namespace as s on s.nspname = w.schema
  join pg_catalog.pg_class as c on c.relnamespace = s.oid and c.relname = w.name
  union all
  select c.oid
  from pg_catalog.pg_class as c
  join pg_catalog.pg_namespace as s on s.oid = c.relnamespace
  where s.nspname = 'sarrio' and json_array_length($1::json) = 0
)
select distinct l.pid, a.application_name, a.state, round(extract(epoch from clock_timestamp() - a.xact_start))::text as seconds
from pg_catalog.pg_locks as l
join wanted on wanted.oid = l.relation
left join pg_catalog.pg_stat_activity as a on a.pid = l.pid
where l.granted and l.pid is distinct from pg_backend_pid() and l.mode <> 'AccessShareLock' and l.mode <> 'RowShareLock'
  and l.database = (select oid from pg_catalog.pg_database where datname = current_database())
order by l.pid
`;

/** Purpose: the inventory after a group. Reads: nothing. Writes: sarrio.installed. Called by: recordGroup. $1: JSON array of rows. */
export const RECORD_OBJECTS = `
insert into sarrio.installed (kind, name, project, hash, fingerprint, plan_format)
select r.kind, r.name, r.project, r.hash, r.fingerprint, r.plan_format
from json_to_recordset($1::json) as r(kind text, name text, project text, hash text, fingerprint text, plan_format text)
on conflict (kind, name) do update
set project = excluded.project, hash = excluded.hash, fingerprint = excluded.fingerprint,
  plan_format = excluded.plan_format, installed_at = excluded.installed_at
`;

/** Purpose: what left the inventory. Reads: nothing. Writes: sarrio.installed. Called by: recordGroup. $1: JSON array of {"kind", "name"}. */
export const FORGET_OBJECTS = `
delete from sarrio.installed as i
using json_to_recordset($1::json) as r(kind text, name text)
where i.kind = r.kind and i.name = r.name
`;
