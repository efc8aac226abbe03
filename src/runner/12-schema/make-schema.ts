import { failure, SarrioError } from '../../plan/errors.ts';
import type { MadeObject, SchemaFile } from '../../plan/schema-file.ts';
import { displayName } from '../../sql/quote.ts';
import { holdersOf } from '../7-apply/lock-tables.ts';
import { type ApplyContext, backoff, BUSY_STATES } from '../7-apply/run-group.ts';
import { sqlState } from '../postgres/connection-failure.ts';
import { failureText } from '../postgres/error-text.ts';
import type { Session } from '../postgres/session.ts';
import { BEGIN_MAKING, COMMIT_MAKING, ROLLBACK_MAKING } from './make-schema.sql.ts';
import { presenceKey, presentIn } from './presence.ts';

/** How far a database is: nothing of the file is there, all of it, or some (then the file is of another time). */
export type SchemaState = { readonly missing: readonly MadeObject[]; readonly there: readonly MadeObject[] };

type Making = { readonly session: Session; readonly file: SchemaFile; readonly context: Omit<ApplyContext, 'plan'> };

/** Looks which objects of the file the database has. */
export async function schemaState(session: Session, { objects }: SchemaFile): Promise<SchemaState> {
  const sought = objects.map((object) => ({ ...object, identity: displayName(object) }));
  const present = await presentIn(session, sought);
  const isThere = (object: MadeObject): boolean => present.has(presenceKey({ kind: object.kind, identity: displayName(object) }));
  return { missing: objects.filter((object) => !isThere(object)), there: objects.filter(isThere) };
}

/** Runs the file in one transaction, unless all of it is there. A lock that is not given in time lets it begin anew. */
export async function makeSchema(making: Making): Promise<'made' | 'was-made'> {
  const { session, file, context } = making;
  const { missing, there } = await schemaState(session, file);
  if (missing.length === 0) return 'was-made';
  if (there.length > 0) throw otherTimes(file, there);
  for (let attempt = 1; ; attempt += 1) {
    try {
      await tryMaking(making);
      return 'made';
    } catch (error) {
      if (session.isOpen()) await session.query(ROLLBACK_MAKING).catch(() => session.destroy());
      const cause = error instanceof SarrioError ? error.cause : error;
      if (!BUSY_STATES.has(sqlState(cause) ?? '') || !session.isOpen() || attempt > context.ddlRetries || context.signal.aborted) throw error;
      const holders = file.locks.length === 0 ? [] : await holdersOf(session, file.locks);
      context.log({ kind: 'blocked', database: file.database, group: 'schema', attempt, of: context.ddlRetries, holders });
      await context.clock.sleep(backoff(attempt, context.random), context.signal);
    }
  }
}

/** Some objects are there and some are not: whoever made those may have meant something else. */
export function otherTimes({ database }: SchemaFile, there: readonly MadeObject[]): SarrioError {
  return failure('refused', {
    code: 'SAR446',
    where: `database ${database}`,
    message: `some of what the file makes is there already: ${there.map((object) => `${object.kind} ${displayName(object)}`).join(', ')}`,
    hint: 'The file is of another time. Run `sarrio pull --with-schema` again: it leaves out what is there, and says in what that differs.',
  });
}

async function tryMaking({ session, file, context }: Making): Promise<void> {
  await session.query(BEGIN_MAKING(context.ddlLockTimeoutMs));
  for (const [index, { kind, name, text }] of file.blocks.entries()) {
    await context.failpoint(`schema-before-${index + 1}`);
    try {
      await session.query(text);
    } catch (error) {
      throw failed(file, `${kind} ${name}`, error);
    }
  }
  await context.failpoint('schema-before-commit');
  const { command } = await session.query(COMMIT_MAKING);
  if (command !== 'COMMIT') throw new Error(`the transaction was not committed: the server answered ${command}`);
  await context.failpoint('schema-after-commit');
}

function failed({ database }: SchemaFile, object: string, error: unknown): SarrioError {
  return failure('failed', {
    code: 'SAR447',
    where: `database ${database}`,
    cause: error,
    message: `${object} could not be made, and nothing else was: ${failureText(error)}`,
    hint: 'Mend the cause and run the same command again, or make this object by hand and run `sarrio pull --with-schema` again.',
  });
}
