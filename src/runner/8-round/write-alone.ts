import type { Session } from '../postgres/session.ts';
import { beginApply, commitApply } from './target.sql.ts';
import type { Statement } from '../postgres/statement.ts';

/** One statement in a transaction of its own: outside of one, a target's session is read-only. Returns the number of rows. */
export async function writeAlone(target: Session, statement: Statement): Promise<number> {
  const answers = await target.batch([{ text: beginApply }, statement, { text: commitApply }]);
  return answers[1]?.count ?? 0;
}
