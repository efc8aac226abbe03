import { TABLES } from '../support/workload.ts';

/**
 * Purpose: the soak's own table, config and questions beside the workload's.
 * Reads, writes: the soak's databases. Called by: `stage.ts`, `faults.ts`, `checks.ts`, `lag.ts`.
 */
export const CONFIG = `import { defineReplication, env } from 'sarrio';

export default defineReplication({
  databases: { source: env('SOURCE_URL'), target: env('TARGET_URL') },
  syncs: { soak: { mode: 'one-way', source: 'source', targets: ['target'], tables: ${JSON.stringify([...TABLES, 'public.beat'])} } },
});
`;

/** One row that says when it was written: its age on the target is the lag. */
export const BEAT = `
  create table beat (id integer primary key, at timestamptz not null);
`;
export const WRITE_BEAT = 'insert into beat values (1, clock_timestamp()) on conflict (id) do update set at = excluded.at';
export const READ_BEAT = 'select (extract(epoch from clock_timestamp() - at) * 1000)::float8 as ms from beat';

/** One of our backends, by chance. $1: a number in [0, 1). */
const ANY_OF_OURS = `
  from (
    select pid, row_number() over (order by pid) - 1 as place, count(*) over () as backends
    from pg_stat_activity
    where application_name like 'sarrio%' and datname = current_database()
  ) as a
  where a.place = floor($1::float8 * a.backends)
`;
export const TERMINATE = `select pg_terminate_backend(a.pid) ${ANY_OF_OURS}`;
export const CANCEL = `select pg_cancel_backend(a.pid) ${ANY_OF_OURS}`;

/** What must not be left behind when the runners have ended. */
export const LEFTOVERS = `
  select 'connection ' || application_name || ' ' || coalesce(state, '') as what from pg_stat_activity
  where application_name like 'sarrio%' and datname = current_database()
  union all
  select 'prepared transaction ' || gid from pg_prepared_xacts
  union all
  select 'temporary table ' || relname from pg_class where relpersistence = 't' and relkind = 'r'
  union all
  select 'advisory lock of ' || pid from pg_locks where locktype = 'advisory'
`;

/** Every line of the ledger was applied exactly once. */
export const APPLIED = `
  select (select count(*) from ledger)::int as lines, count(*)::int as applied, count(distinct id)::int as keys from applied
`;
export const ROUNDS = 'select applied_rounds::int as rounds, applied_rows::int as rows from sarrio.watermark';

/** What our sessions are at, and who is in their way. */
export const SESSIONS = `
  select left(application_name, 16) as name, state, wait_event as waits, nullif(pg_blocking_pids(pid), '{}') as behind, pid, round(extract(epoch from clock_timestamp() - state_change))::int as s,
    left(regexp_replace(query, '\\s+', ' ', 'g'), 40) as query
  from pg_stat_activity
  where datname = current_database() and (application_name like 'sarrio%' or state <> 'idle') and pid <> pg_backend_pid()
  order by pid
`;
