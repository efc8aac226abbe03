import { failure, SarrioError } from '../../plan/errors.ts';
import { sqlState } from '../postgres/connection-failure.ts';
import { failureText } from '../postgres/error-text.ts';
import type { Session } from '../postgres/session.ts';
import { ownerOf, rollback, whoAmI } from './migrate.sql.ts';
import { type Migrating, sessionOf } from './migrating.ts';

const FIRST_BACKOFF_MS = 100;
const LONGEST_BACKOFF_MS = 3_000;
/** lock_not_available, deadlock_detected. */
const BUSY: ReadonlySet<string> = new Set(['55P03', '40P01']);

/** Thrown out of a try that may go better the next time. */
export class TryAgain extends Error {}

/** One transaction of one database, tried again while its tables are busy; after any error nothing of it is left. */
export async function inTries<T>(migrating: Migrating, database: string, work: () => Promise<T>): Promise<T> {
  const { context, say } = migrating;
  const session = sessionOf(migrating, database);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (session.isOpen()) await session.query(rollback).catch(() => session.destroy());
      const isBusy = error instanceof TryAgain || BUSY.has(sqlState(error) ?? '');
      if (!isBusy || !session.isOpen() || context.signal.aborted || attempt > context.ddlRetries)
        throw (await refusedByOwner(migrating, session, error)) ?? failed(migrating, database, error);
      say(`${database}: ${error instanceof TryAgain ? error.message : 'a table is locked by others'}; tries again (${attempt} of ${context.ddlRetries})`);
      const full = Math.min(FIRST_BACKOFF_MS * 2 ** (attempt - 1), LONGEST_BACKOFF_MS);
      await context.clock.sleep(full * (0.5 + context.random() / 2), context.signal);
    }
  }
}

function failed({ file }: Migrating, database: string, error: unknown): Error {
  if (error instanceof SarrioError) return error;
  const where = `database ${database}`;
  if (error instanceof TryAgain) {
    return failure('refused', {
      code: 'SAR823',
      where,
      message: `${file} would lose changes: ${error.message}`,
      hint: 'Nothing was changed here. See that sarrio run works and reaches every target, then run the same command again; --drain waits longer.',
    });
  }
  return failure('failed', {
    code: 'SAR822',
    where,
    cause: error,
    message: `${file}: ${failureText(error)}`,
    hint: 'Nothing of it was changed here. Mend the cause and run the same command again, or take it back with --undo; --ddl-lock-timeout and --ddl-retries try longer for busy tables.',
  });
}

/** insufficient_privilege: whose table it is and what makes the role able to change it, instead of the server's bare words; null for anything else. */
async function refusedByOwner({ file }: Migrating, session: Session, error: unknown): Promise<Error | null> {
  if (sqlState(error) !== '42501' || !session.isOpen()) return null;
  const [, name] = /^must be owner of \w+(?: \w+)* (.+)$/.exec(failureText(error)) ?? [];
  const rows = name === undefined ? [] : (await session.query(ownerOf, [name])).rows;
  const owners = [...new Set(rows.map(({ owner }) => owner ?? ''))];
  const role = (await session.query(whoAmI)).rows[0]?.['role'] ?? 'this role';
  const table = rows.length === 1 ? (rows[0]?.['relation'] ?? '') : (name ?? '');
  const message = name === undefined ? `role ${role} may not do this: ${failureText(error)}` : `role ${role} does not own ${table || name}`;
  const grants = owners.map((owner) => `GRANT ${owner} TO ${role};`).join(' ');
  return failure('refused', {
    code: 'SAR829',
    where: `database ${session.database}`,
    cause: error,
    message: `${file}: ${message}${owners.length > 0 ? `, which is ${owners.join(' or ')}'s` : ''}`,
    hint: `PostgreSQL lets only the owner of a table change it, and a migration has to run as the role that applies. Nothing was changed here. Run: ${grants || `GRANT <the owner> TO ${role};`} It may be taken back afterwards.`,
  });
}
