import { sqlState } from '../postgres/connection-failure.ts';
import type { Session } from '../postgres/session.ts';
import { asOurselves, asUser, beforeStatements, dropOwnTrigger, undoStatements } from './migrate.sql.ts';

/** feature_not_supported, dependent_objects_still_exist: what PostgreSQL says of a column that a trigger speaks of. */
const IN_THE_WAY: ReadonlySet<string> = new Set(['0A000', '2BP01']);
const MOST_TRIGGERS = 50;

/**
 * The user's statements in the open transaction, with the names that his own sessions would find. A trigger of ours that is bound to a column which gets
 * another type is taken away first, under the table's lock; the capture's statements put it back in the same transaction.
 */
export async function runStatements(session: Session, text: string): Promise<void> {
  await session.query(asUser);
  for (let dropped = 0; ; dropped += 1) {
    await session.query(beforeStatements);
    try {
      await session.query(text);
      break;
    } catch (error) {
      if (!session.isOpen() || dropped >= MOST_TRIGGERS || !IN_THE_WAY.has(sqlState(error) ?? '')) throw error;
      await session.query(undoStatements);
      if (!(await dropTrigger(session, error))) throw error;
    }
  }
  await session.query(asOurselves);
}

/** The server names it: `trigger sarrio_key on table orders depends on column id of table orders`. */
async function dropTrigger(session: Session, error: unknown): Promise<boolean> {
  const { detail } = error as { readonly detail?: unknown };
  const [, trigger, table] = /trigger (sarrio_\w+) on table ((?:"(?:[^"]|"")*"|[^\s"])+)/.exec(typeof detail === 'string' ? detail : '') ?? [];
  if (trigger === undefined || table === undefined) return false;
  const text = (await session.query(dropOwnTrigger, [trigger, table])).rows[0]?.['text'];
  if (!text) return false;
  await session.query(text);
  return true;
}
