import { failure, SarrioError } from '../../plan/errors.ts';
import { failureText } from './error-text.ts';

const OLDEST_MAJOR = 14;

/** Names the database and the variable, never the connection string or what stands in it. */
export function connectionFailure(options: { database: string; variable: string; role: string }, error: unknown): SarrioError {
  if (error instanceof SarrioError) return error;
  const where = `database ${options.database}`;
  if (sqlState(error) === '42501' && options.role === 'target') {
    return failure('refused', {
      code: 'SAR403',
      where,
      cause: error,
      message: 'this role may not set session_replication_role',
      hint: 'On PostgreSQL 15 and later a superuser can run: GRANT SET ON PARAMETER session_replication_role TO <role>;\nOn 14 `sarrio plan` prints what a superuser can run instead.',
    });
  }
  return failure('failed', {
    code: 'SAR401',
    where,
    cause: error,
    message: `cannot connect: ${failureText(error)}`,
    hint: `The connection string comes from the environment variable ${options.variable}. Check host, port, database, user and password there.`,
  });
}

export function refuseOldServer(database: string, serverMajor: number): void {
  if (serverMajor >= OLDEST_MAJOR) return;
  throw failure('invalid', {
    code: 'SAR402',
    where: `database ${database}`,
    message: `the server is PostgreSQL ${serverMajor}; sarrio needs ${OLDEST_MAJOR} or later`,
    hint: 'Upgrade the server, or leave this database out of the config.',
  });
}

/** SQLSTATE of a server's error, or null for anything else. */
export function sqlState(error: unknown): string | null {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : null;
}
