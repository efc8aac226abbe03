import type { Session } from '../postgres/session.ts';

/** Connections for snapshots, kept between rounds. */
export type SourcePool = {
  acquire(): Promise<Session>;
  giveBack(session: Session): void;
  isOpen(): boolean;
  onLost(listener: () => void): void;
  close(): Promise<void>;
};

/** @param first whose loss ends the pool; never handed out */
export function makePool(connect: () => Promise<Session>, first: Session): SourcePool {
  const idle: Session[] = [];
  const all = new Set<Session>();
  const listeners: (() => void)[] = [];
  const state = { lost: false };
  const watch = (session: Session): Session => {
    all.add(session);
    session.onLost(() => {
      all.delete(session);
      if (session !== first) return;
      state.lost = true;
      for (const listener of listeners) listener();
    });
    return session;
  };
  watch(first);
  return {
    acquire: async () => {
      const ready = idle.pop();
      if (ready) return ready;
      const session = await connect();
      // Closed while this one was under way: nobody would close it.
      if (!state.lost) return watch(session);
      session.destroy();
      throw new Error('the source was closed meanwhile');
    },
    giveBack: (session) => void (session.isOpen() && !state.lost && idle.push(session)),
    isOpen: () => !state.lost,
    onLost: (listener) => {
      if (state.lost) listener();
      else listeners.push(listener);
    },
    close: async () => {
      state.lost = true;
      await Promise.all([...all].map((session) => session.close()));
    },
  };
}
