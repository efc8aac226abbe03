import type { Session } from '../../postgres/session.ts';
import type { Row } from '../../postgres/statement.ts';

/** The rows of one question, or none where the database does not answer it. */
export async function lookedAt(open: (database: string) => Promise<Session>, database: string, question: string): Promise<readonly Row[]> {
  const session = await open(database).catch(() => null);
  if (session === null) return [];
  try {
    return (await session.query(question)).rows;
  } catch {
    return [];
  } finally {
    await session.close();
  }
}
