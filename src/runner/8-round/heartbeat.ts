import type { Clock } from '../clock.ts';
import type { Session } from '../postgres/session.ts';
import { heartbeat } from './target.sql.ts';

/** Well below the time after which a server ends a session that nothing is heard of. */
const BEAT_MS = 15_000;

/** Keeps a target's session, and the lease with it, while nothing else is said. A runner that froze does not beat, and loses both. */
export type Heart = {
  /** To be called between rounds, at least every few seconds. */
  beat(): Promise<void>;
};

export function makeHeart(target: Session, clock: Clock): Heart {
  const state = { last: clock.now() };
  return {
    beat: async () => {
      if (clock.now() - state.last < BEAT_MS) return;
      state.last = clock.now();
      await target.query(heartbeat);
    },
  };
}

/** Beats while something goes on that does not use the session. A session that is lost is noticed by its next user. */
export async function beatDuring<T>(target: Session, clock: Clock, work: () => Promise<T>): Promise<T> {
  const end = startBeating(target, clock, () => target.query(heartbeat));
  try {
    return await work();
  } finally {
    await end();
  }
}

/** Begins to say something again and again; the returned function ends it. A session that cannot say it is cut off. */
export function startBeating(session: Session, clock: Clock, say: () => Promise<unknown>): () => Promise<void> {
  const done = new AbortController();
  const isOver = (): boolean => done.signal.aborted || !session.isOpen();
  const beating = (async () => {
    while (!isOver()) {
      await clock.sleep(BEAT_MS, done.signal);
      if (!isOver()) await say();
    }
  })().catch(() => session.destroy());
  return () => {
    done.abort('over');
    return beating;
  };
}
