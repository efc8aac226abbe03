/** What a session is for; its settings follow from it. */
export type SessionRole = 'inspect' | 'install' | 'listen' | 'source' | 'target' | 'status';

/**
 * Purpose: pins every setting that changes how values are read and written or how long a statement may take, so that no
 * database or role default can interfere (pitfalls: DateStyle and friends, timeouts from role settings).
 * Reads, writes: nothing. Called by: `connect`.
 */
export function sessionSettings(role: SessionRole, serverMajor: number): string {
  const settings: readonly (readonly [string, string])[] = [...PINNED, ...versioned(serverMajor), ...BY_ROLE[role]];
  return settings.map(([name, value]) => `set ${name} = ${value};`).join('\n');
}

/** Asked first on every connection. */
export const serverFacts = `
  select current_setting('server_version_num') as version, a.pid, extract(epoch from a.backend_start) as started
  from pg_catalog.pg_stat_activity as a
  where a.pid = pg_catalog.pg_backend_pid()
`;

const PINNED = [
  ['client_encoding', "'UTF8'"],
  ['search_path', "''"],
  ['datestyle', "'ISO, YMD'"],
  ['intervalstyle', "'postgres'"],
  ['timezone', "'UTC'"],
  ['extra_float_digits', '3'],
  ['bytea_output', "'hex'"],
  ['lc_monetary', "'C'"],
  ['lc_numeric', "'C'"],
  ['xmloption', "'content'"],
  ['standard_conforming_strings', 'on'],
  ['row_security', 'off'],
  ['statement_timeout', '0'],
  ['idle_in_transaction_session_timeout', '0'],
  ['idle_session_timeout', '0'],
  ['default_transaction_isolation', "'read committed'"],
  ['default_transaction_read_only', 'off'],
  ['default_transaction_deferrable', 'off'],
  ['client_min_messages', "'warning'"],
  ['jit', 'off'],
  ['tcp_keepalives_idle', '5'],
  ['tcp_keepalives_interval', '3'],
  ['tcp_keepalives_count', '4'],
] as const;

function versioned(serverMajor: number): readonly (readonly [string, string])[] {
  return serverMajor >= 17 ? [['transaction_timeout', '0']] : [];
}

/**
 * How long a server keeps a connection whose other end takes nothing: sent data that is not acknowledged, or a full window. Longer for
 * a source: while a target waits for a lock, nobody reads.
 */
const USER_TIMEOUT = { source: "'90s'", others: "'30s'" } as const;
/**
 * A runner that froze must not keep its locks and its lease on a target. Longer than any lock is waited for on the source meanwhile;
 * the runner itself beats more often (`heartbeat.ts`).
 */
const FROZEN = "'60s'";

/** A source looks changes up by index and rows by key, whatever the statistics say; a large round gives the planner its choice back (`planFor`). */
const BY_ROLE = {
  inspect: [
    ['lock_timeout', "'5s'"],
    ['tcp_user_timeout', USER_TIMEOUT.others],
  ],
  install: [['tcp_user_timeout', USER_TIMEOUT.others]],
  listen: [['tcp_user_timeout', USER_TIMEOUT.others]],
  status: [
    ['lock_timeout', "'2s'"],
    ['tcp_user_timeout', USER_TIMEOUT.others],
  ],
  source: [
    ['tcp_user_timeout', USER_TIMEOUT.source],
    ['lock_timeout', "'30s'"],
    ['work_mem', "'64MB'"],
    ['enable_seqscan', 'off'],
    ['enable_hashjoin', 'off'],
    ['enable_mergejoin', 'off'],
  ],
  target: [
    ['tcp_user_timeout', USER_TIMEOUT.others],
    ['idle_in_transaction_session_timeout', FROZEN],
    ['idle_session_timeout', FROZEN],
    // A statement that comes to stand outside of its transaction, because `begin` was cancelled before it in a batch, must not write.
    ['default_transaction_read_only', 'on'],
    ['session_replication_role', "'replica'"],
    ['synchronous_commit', 'off'],
    ['work_mem', "'64MB'"],
    ['lock_timeout', "'30s'"],
  ],
} as const satisfies Record<SessionRole, readonly (readonly [string, string])[]>;
