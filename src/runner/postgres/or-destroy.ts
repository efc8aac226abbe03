import type { Session } from './session.ts';

/** A session that was opened in vain must not stay: the next attempt opens another. */
export async function orDestroy<T>(session: Session, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    session.destroy();
    throw error;
  }
}
