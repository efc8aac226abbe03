import type { Session } from '../../postgres/session.ts';
import { missingCopy } from './join-pair.ts';
import type { MastersRun } from './masters-run.ts';
import { pairOf } from './pair-of.ts';
import { drop, type Live, type Slot } from './slot.ts';

type End = { readonly slot: Slot; readonly live: Live };

/**
 * Begins to copy what a member lacks of the sync's first one, beside the rounds of the others, which do not wait for it; false where it lacks
 * nothing. Once it has ended the member is let in like one that was away.
 */
export async function copyAside(run: MastersRun, seed: End, arrival: End): Promise<boolean> {
  const { slot, live } = arrival;
  const pair = pairOf(run, seed, arrival);
  const connections = makeConnections(pair.connectTarget);
  const copy = await missingCopy({ ...pair, connectTarget: connections.open });
  if (copy === null) return false;
  const failed = (error: unknown): void => {
    // Where its connection was lost meanwhile that has been told already.
    if (slot.live === live && !run.options.signal.aborted) drop(slot, error);
  };
  const ended = copy()
    .catch(failed)
    .finally(() => {
      slot.copying = null;
      run.looks.kick();
    });
  slot.copying = { ended, stop: connections.cut };
  return true;
}

function makeConnections(connect: () => Promise<Session>): { open(): Promise<Session>; cut(): void } {
  const opened = new Set<Session>();
  const state = { isCut: false };
  return {
    open: async () => {
      const session = await connect();
      opened.add(session);
      session.onLost(() => opened.delete(session));
      if (state.isCut) session.destroy();
      return session;
    },
    cut: () => {
      state.isCut = true;
      for (const session of opened) session.destroy();
    },
  };
}
