import type { Session } from './session.ts';
import type { Row, Statement } from './statement.ts';

/** What is asked of a database, and how the rows answer it. Null: nothing need be asked, no rows answer it. */
export type Question<Answer> = { readonly statement: Statement | null; readonly read: (rows: readonly Row[]) => Answer };

type Questions<Answers extends readonly unknown[]> = { readonly [Place in keyof Answers]: Question<Answers[Place]> };

/** Several questions in one round trip. */
export async function ask<const Answers extends readonly unknown[]>(session: Session, questions: Questions<Answers>): Promise<Answers> {
  const statements = questions.flatMap(({ statement }) => statement ?? []);
  const results = statements.length === 0 ? [] : await session.together(statements);
  let place = 0;
  const answers = questions.map(({ statement, read }) => {
    const rows = statement === null ? [] : (results[place]?.rows ?? []);
    if (statement !== null) place += 1;
    return read(rows);
  });
  return answers as unknown as Answers;
}

/** One question that is asked often: prepared where its statement has a name. */
export async function askAgain<Answer>(session: Pick<Session, 'query'>, { statement, read }: Question<Answer>): Promise<Answer> {
  return read(statement === null ? [] : (await session.query(statement.text, statement.values ?? [], statement.name)).rows);
}

/** Not a question, but to be done in the same round trip. */
export function order(text: string): Question<null> {
  return { statement: { text }, read: () => null };
}

/** What each statement gave, or why it failed: in one round trip where none fails, else one after the other. */
export async function attempt(session: Session, statements: readonly Statement[]): Promise<readonly Attempt[]> {
  if (statements.length === 0) return [];
  try {
    return (await session.together(statements)).map(({ rows }) => ({ kind: 'answered', rows }));
  } catch (error) {
    if (!session.isOpen()) throw error;
  }
  const attempts: Attempt[] = [];
  for (const statement of statements) attempts.push(await attemptOne(session, statement));
  return attempts;
}

export type Attempt = { readonly kind: 'answered'; readonly rows: readonly Row[] } | { readonly kind: 'failed'; readonly error: unknown };

async function attemptOne(session: Session, { text, values }: Statement): Promise<Attempt> {
  try {
    return { kind: 'answered', rows: (await session.query(text, values)).rows };
  } catch (error) {
    if (!session.isOpen()) throw error;
    return { kind: 'failed', error };
  }
}
