import type { Clock } from '../clock.ts';
import { makeGate } from '../gate.ts';
import { makeMutex } from '../mutex.ts';
import type { Session } from '../postgres/session.ts';
import { type Ask, type FlagState, keepFlag } from './wake-flag.ts';
import { beHeard, FLAG, listen, preparesTransactions, setFlag } from './wake.sql.ts';

/** Rounds in a row, each begun because something came during the last, before triggers are told to notify no more. */
const ROUNDS_UNDER_LOAD = 8;

/** How long after a stream let changes gather the load is taken to go on. */
const GATHERED_MS = 500;

/** Tells the streams of one sync when to look at the source again. */
export type Wake = {
  /** Grows with every sign of new changes. A stream notes it before it looks and waits for a later one. */
  readonly generation: () => number;
  /** Resolves when there may be something new since `seen`, or after `ms`. */
  wait(seen: number, ms: number): Promise<void>;
  /** A look found changes; `inRow` counts the rounds since the stream last waited. */
  found(inRow: number): Promise<void>;
  /** A stream lets changes gather for so long before it looks again: it need not be told of them. */
  gathering(ms: number): void;
  /** Lets every stream look, as `sarrio kick` does. */
  kick(): void;
  /** Calls back with every sign of new changes, and once it is closed. */
  onKick(listener: () => void): void;
  close(): Promise<void>;
};

export type WakeOptions = { readonly sync: string; readonly sequence: string; readonly session: Session; readonly clock: Clock };

/**
 * The armed flag (DESIGN section 9): the runner sleeps only while the flag is armed and every transaction that may have read `busy`
 * has ended. Until the first arming the streams are told to look all the time.
 */
export async function openWake(options: WakeOptions): Promise<Wake> {
  const { session, sync, clock, sequence } = options;
  const exclusive = makeMutex();
  const ask: Ask = async (text, values) => {
    const row = (await exclusive(() => session.query(text, values))).rows[0];
    return Object.values(row ?? {})[0] ?? '';
  };
  const streams = makeGate(clock);
  const flag: FlagState = { value: FLAG.busy, founds: 0, gatheringUntil: 0, gate: makeGate(clock) };
  const counter = { generation: 0 };
  const listeners: (() => void)[] = [];
  const tell = (): void => {
    for (const listener of listeners) listener();
  };
  const kick = (): void => {
    counter.generation += 1;
    streams.open();
    tell();
  };
  const end = (): void => {
    flag.gate.end();
    counter.generation += 1;
    streams.end();
    tell();
  };
  session.onNotification((payload) => {
    if (payload === sync) kick();
  });
  session.onLost(end);
  const polls = (await ask(preparesTransactions)) === 't';
  if (!polls) {
    await ask(beHeard, [sync]);
    await exclusive(() => session.query(listen));
  }
  // Whatever stopped it (a cancelled statement is enough), nobody would be woken any more: the source is opened anew.
  const keeping = keepFlag({ ask, clock, flag, kick, polls, sequence }).catch(() => session.destroy());
  return {
    generation: () => counter.generation,
    wait: async (seen, ms) => {
      if (counter.generation === seen) await streams.wait(ms);
    },
    found: async (inRow) => {
      flag.founds += 1;
      if (flag.value === FLAG.busy || inRow < ROUNDS_UNDER_LOAD) return;
      flag.value = FLAG.busy;
      flag.gate.open();
      await ask(setFlag, [sequence, String(FLAG.busy)]);
    },
    gathering: (ms) => {
      flag.gatheringUntil = Math.max(flag.gatheringUntil, clock.now() + ms + GATHERED_MS);
    },
    kick,
    onKick: (listener) => void listeners.push(listener),
    close: async () => {
      end();
      await keeping;
      await session.close();
    },
  };
}
