/**
 * Purpose: one apply at a time in a database; plan takes the same lock shared, so that an apply under way is not taken for drift.
 * Advisory locks belong to one database, so the key needs the project only. Reads, writes: nothing. Called by: holdApplyLock.
 * $1: project.
 */
const KEY = "hashtextextended('sarrio apply ' || $1, 0)";
export const TRY_LOCK = {
  exclusive: `select pg_try_advisory_lock(${KEY}) as is_held, pg_backend_pid() as pid`,
  shared: `select pg_try_advisory_lock_shared(${KEY}) as is_held, pg_backend_pid() as pid`,
} as const;

/** Purpose: who holds the lock. Reads: pg_locks, pg_stat_activity. Writes: nothing. Called by: holdApplyLock. $1: project. */
export const LOCK_HOLDER = `
select l.pid, a.application_name, a.usename, a.client_addr, a.backend_start
from pg_catalog.pg_locks as l
left join pg_catalog.pg_stat_activity as a on a.pid = l.pid
where l.locktype = 'advisory' and l.granted and l.objsubid = 1 and l.pid <> pg_backend_pid()
  and l.database = (select oid from pg_catalog.pg_database where datname = current_database())
  and l.classid::bigint = (${KEY} >> 32) & 4294967295 and l.objid::bigint = ${KEY} & 4294967295
order by a.backend_start
limit 1
`;
