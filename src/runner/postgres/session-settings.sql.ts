/** What a session is for; its settings follow from it. */
export type SessionRole = 'inspect' | 'install' | 'listen' | 'source' | 'target' | 'status' | 'verify';

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
export const serverFacts = "select current_setting('server_version_num') as version, pg_backend_pid() as pid";

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

/** A source looks changes up by index and rows by key, whatever the statistics say; a large round gives the planner its choice back (`planFor`). */
const BY_ROLE = {
  inspect: [['lock_timeout', "'5s'"]],
  install: [],
  listen: [],
  status: [['lock_timeout', "'2s'"]],
  verify: [
    ['lock_timeout', "'30s'"],
    ['work_mem', "'64MB'"],
  ],
  source: [
    ['lock_timeout', "'30s'"],
    ['work_mem', "'64MB'"],
    ['enable_seqscan', 'off'],
    ['enable_hashjoin', 'off'],
    ['enable_mergejoin', 'off'],
  ],
  target: [
    ['session_replication_role', "'replica'"],
    ['synchronous_commit', 'off'],
    ['work_mem', "'64MB'"],
    ['lock_timeout', "'30s'"],
  ],
} as const satisfies Record<SessionRole, readonly (readonly [string, string])[]>;
