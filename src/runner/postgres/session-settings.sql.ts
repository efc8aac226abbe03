import { literal } from '../../sql/quote.ts';

/** What a session is for; its settings follow from it. */
export type SessionRole = 'inspect' | 'install' | 'listen' | 'source' | 'target' | 'status' | 'verify';

/**
 * Purpose: what a session must know before anything else, and pins every setting that changes how values are read and written or how long
 * a statement may take, so that no database or role default can interfere (pitfalls: DateStyle and friends, timeouts from role settings).
 * One question on every connection, so it is kept cheap: the function behind pg_stat_activity instead of the view (a fresh backend plans
 * that for 2 ms), and the loan only where it is taken. An older server than is supported is told nothing.
 * A SQL_ASCII server does not know what its bytes mean: they pass as they are, where another client encoding would refuse some.
 * Reads: this backend's own entry; the catalog of functions. Writes: nothing. Called by: `connect`.
 */
export function greeting(role: SessionRole): string {
  const settings: readonly Setting[] = [...PINNED, ...BY_ROLE[role]];
  const rows = settings.map(([name, value, since = 14]) => `(${literal(name).text}, ${literal(value).text}, ${since})`).join(', ');
  return `with server as (
    select pg_catalog.current_setting('server_version_num')::int as version, pg_catalog.current_setting('server_encoding') as encoding,
      ${role === 'target' ? LENDS : 'false'} as lends
  )
  select s.version, a.pid, extract(epoch from a.backend_start) as started, s.encoding, s.lends,
    (select pg_catalog.count(pg_catalog.set_config(p.name, p.value, false)) from (values ${rows}) as p(name, value, since)
      where s.version operator(pg_catalog./) 10000 operator(pg_catalog.>=) p.since) as pinned,
    pg_catalog.set_config('client_encoding', case when s.encoding operator(pg_catalog.=) 'SQL_ASCII' then 'SQL_ASCII' else 'UTF8' end, false) as "client"
  from server as s cross join pg_catalog.pg_stat_get_activity(pg_catalog.pg_backend_pid()) as a`;
}

/** With the major version from which on it exists; all that are supported have it where none is named. */
type Setting = readonly [name: string, value: string, since?: number];

/**
 * Before PostgreSQL 15 only a superuser may set session_replication_role; it can lend that right to the runner's role by a function
 * (see `lendReplicationRole`).
 */
const LENDS = `exists (
    select from pg_catalog.pg_proc as f join pg_catalog.pg_namespace as n on n.oid operator(pg_catalog.=) f.pronamespace
    where n.nspname operator(pg_catalog.=) 'sarrio_admin' and f.proname operator(pg_catalog.=) 'replicate'
      and pg_catalog.has_schema_privilege(n.oid, 'USAGE') and pg_catalog.has_function_privilege(f.oid, 'EXECUTE')
  )`;

/** Purpose: what an applying session must be. Reads, writes: nothing. Called by: `connect`, after the greeting of a target. */
export function replicationRole({ major, lendsReplicationRole }: { readonly major: number; readonly lendsReplicationRole: boolean }): string {
  return major < 15 && lendsReplicationRole ? 'select sarrio_admin.replicate()' : "set session_replication_role = 'replica'";
}

const PINNED: readonly Setting[] = [
  ['search_path', '""'],
  ['datestyle', 'ISO, YMD'],
  ['intervalstyle', 'postgres'],
  ['timezone', 'UTC'],
  ['extra_float_digits', '3'],
  ['bytea_output', 'hex'],
  ['lc_monetary', 'C'],
  ['lc_numeric', 'C'],
  ['xmloption', 'content'],
  ['standard_conforming_strings', 'on'],
  ['row_security', 'off'],
  ['statement_timeout', '0'],
  ['idle_in_transaction_session_timeout', '0'],
  ['idle_session_timeout', '0'],
  ['default_transaction_isolation', 'read committed'],
  ['default_transaction_read_only', 'off'],
  ['default_transaction_deferrable', 'off'],
  ['client_min_messages', 'warning'],
  ['jit', 'off'],
  ['tcp_keepalives_idle', '5'],
  ['tcp_keepalives_interval', '3'],
  ['tcp_keepalives_count', '4'],
  ['transaction_timeout', '0', 17],
];

/**
 * How long a server keeps a connection whose other end takes nothing: sent data that is not acknowledged, or a full window. Longer for
 * a source: while a target waits for a lock, nobody reads.
 */
const USER_TIMEOUT = { source: '90s', others: '30s' } as const;
/**
 * A runner that froze must not keep its locks on a source, and its locks and its lease on a target. Longer than any lock is waited for
 * on the other side meanwhile; the runner itself beats more often (`heartbeat.ts`).
 */
const FROZEN = '60s';

/**
 * The statements of a round, and those that read the catalog for a plan, are the same each time, and their parameters (lists of names, rows as JSON) tell the planner nothing; left to
 * itself it plans some of them anew for every round, which costs more than to run them.
 */
const PLANNED_ONCE = ['plan_cache_mode', 'force_generic_plan'] as const;

/** In a large delta table a count of a few changes would begin by starting two processes: 15 ms for each table, at every look. */
const ALONE = ['max_parallel_workers_per_gather', '0'] as const;

/** A source looks changes up by index and rows by key, whatever the statistics say; a large round gives the planner its choice back (`joinsFor`, `planFor`). */
const BY_ROLE = {
  inspect: [
    ['lock_timeout', '5s'],
    ['tcp_user_timeout', USER_TIMEOUT.others],
  ],
  install: [['tcp_user_timeout', USER_TIMEOUT.others], PLANNED_ONCE],
  listen: [['tcp_user_timeout', USER_TIMEOUT.others]],
  status: [
    ['lock_timeout', '2s'],
    ['tcp_user_timeout', USER_TIMEOUT.others],
  ],
  verify: [
    ['lock_timeout', '30s'],
    ['work_mem', '64MB'],
    ['tcp_user_timeout', USER_TIMEOUT.source],
  ],
  source: [
    ['tcp_user_timeout', USER_TIMEOUT.source],
    ['idle_in_transaction_session_timeout', FROZEN],
    ['lock_timeout', '30s'],
    // What is acknowledged must not be lost in a crash of the source: the target notes it and would take the source for an older one.
    ['synchronous_commit', 'local'],
    ['work_mem', '64MB'],
    ['enable_seqscan', 'off'],
    ['enable_hashjoin', 'off'],
    ['enable_mergejoin', 'off'],
    ALONE,
    PLANNED_ONCE,
  ],
  target: [
    ['tcp_user_timeout', USER_TIMEOUT.others],
    ['idle_in_transaction_session_timeout', FROZEN],
    ['idle_session_timeout', FROZEN],
    // A statement that comes to stand outside of its transaction, because `begin` was cancelled before it in a batch, must not write.
    ['default_transaction_read_only', 'on'],
    ['synchronous_commit', 'off'],
    ['work_mem', '64MB'],
    ['lock_timeout', '30s'],
    ALONE,
    PLANNED_ONCE,
  ],
} as const satisfies Record<SessionRole, readonly (readonly [string, string])[]>;
