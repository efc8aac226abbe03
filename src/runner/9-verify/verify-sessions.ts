import type { SessionRole } from '../postgres/session-settings.sql.ts';
import type { Session } from '../postgres/session.ts';
import { cancelBackend } from './verify.sql.ts';

/** The connections of one worker, opened when they are first wanted and kept from table to table. */
export type VerifySessions = {
  /** `purpose` tells two sessions to one database apart. */
  get(database: string, role: SessionRole, purpose: string): Promise<Session>;
  /** Drops them: the next use connects anew. */
  forget(): void;
  /** Ends what their servers are doing at this moment, then drops them. A scan does not notice by itself that nobody waits for it. */
  cancel(): Promise<void>;
  close(): Promise<void>;
};

export function verifySessions(connect: (database: string, role: SessionRole) => Promise<Session>): VerifySessions {
  const open = new Map<string, Session>();
  const drop = (): void => {
    for (const session of open.values()) session.destroy();
    open.clear();
  };
  return {
    get: async (database, role, purpose) => {
      const key = JSON.stringify([database, role, purpose]);
      const kept = open.get(key);
      if (kept?.isOpen()) return kept;
      const session = await connect(database, role);
      open.set(key, session);
      return session;
    },
    forget: drop,
    cancel: async () => {
      const busy = [...open.values()];
      await Promise.all(busy.map((session) => cancel(connect, session)));
      drop();
    },
    close: async () => {
      await Promise.all([...open.values()].map((session) => session.close()));
      open.clear();
    },
  };
}

/** A server that cannot be reached has nothing to end. */
async function cancel(connect: (database: string, role: SessionRole) => Promise<Session>, busy: Session): Promise<void> {
  const other = await connect(busy.database, 'status').catch(() => null);
  if (other === null) return;
  try {
    await other.query(cancelBackend, [String(busy.backendPid)]);
  } finally {
    await other.close();
  }
}
