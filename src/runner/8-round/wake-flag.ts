import type { Clock } from '../clock.ts';
import type { Gate } from '../gate.ts';
import { currentSnapshot } from './source.sql.ts';
import { armingXid, FLAG, oldestRunning, readFlag, setFlag } from './wake.sql.ts';

/** Looks so often, without being told, in case a wake was lost. A look at an unchanged server costs one trivial query. */
const SAFETY_POLL_MS = 2_000;
/** Where prepared transactions forbid NOTIFY, the flag is read this often. */
const FLAG_POLL_MS = 25;
/** Pauses between looks while transactions run that began before the flag was armed: they may not notify. */
const FIRST_LOOK_MS = 3;
const LAST_LOOK_MS = 250;
/** Under load: pause between looks, and how many looks of a window must find something for the load to be one. */
const BUSY_LOOK_MS = 4;
const BUSY_LOOKS = 25;
const BUSY_FOUNDS = 12;

/** Asks the source for one value. */
export type Ask = (text: string, values?: readonly string[]) => Promise<string>;

/** What the runner last wrote into the flag, what its streams found, and until when one of them lets changes gather. */
export type FlagState = { value: number; founds: number; gatheringUntil: number; readonly gate: Gate };

export type FlagParts = {
  readonly ask: Ask;
  readonly clock: Clock;
  readonly flag: FlagState;
  /** Lets the streams look. */
  readonly kick: () => void;
  readonly polls: boolean;
  readonly sequence: string;
};

/** Runs until the gate ends. Rejects when the connection is lost. */
export async function keepFlag(parts: FlagParts): Promise<void> {
  const { flag } = parts;
  while (!flag.gate.isEnded()) {
    if (flag.value === FLAG.busy) await lookBusily(parts);
    else await sleepArmed(parts);
  }
}

/** One window of looks; arms the flag when few of them found anything. */
async function lookBusily(parts: FlagParts): Promise<void> {
  const { flag, kick, clock } = parts;
  flag.founds = 0;
  for (let look = 0; look < BUSY_LOOKS && !flag.gate.isEnded(); look += 1) {
    kick();
    await flag.gate.wait(BUSY_LOOK_MS);
  }
  const isBusy = flag.founds >= BUSY_FOUNDS || clock.now() < flag.gatheringUntil;
  if (!isBusy && !flag.gate.isEnded()) await arm(parts);
}

/** After arming, looks go on until every transaction has ended that had its xid before and may have read `busy`. */
async function arm({ ask, flag, kick, sequence }: FlagParts): Promise<void> {
  flag.value = FLAG.armed;
  await ask(setFlag, [sequence, String(FLAG.armed)]);
  const armedAt = BigInt(await ask(armingXid));
  let pause = FIRST_LOOK_MS;
  while (!flag.gate.isEnded() && flag.value === FLAG.armed) {
    const isSafe = BigInt(await ask(oldestRunning)) > armedAt;
    kick();
    if (isSafe) return;
    await flag.gate.wait(pause);
    pause = Math.min(pause * 2, LAST_LOOK_MS);
  }
}

/** Asleep: notifications come by themselves; the flag (with prepared transactions) and the snapshot are polled. */
async function sleepArmed({ ask, clock, flag, kick, polls, sequence }: FlagParts): Promise<void> {
  let seen = await ask(currentSnapshot);
  let nextPoll = clock.now() + SAFETY_POLL_MS;
  while (!flag.gate.isEnded() && flag.value === FLAG.armed) {
    await flag.gate.wait(polls ? FLAG_POLL_MS : SAFETY_POLL_MS);
    if (flag.gate.isEnded()) return;
    if (polls && Number(await ask(readFlag, [sequence])) === FLAG.kicked) {
      flag.value = FLAG.busy;
      kick();
      return;
    }
    if (clock.now() < nextPoll) continue;
    nextPoll = clock.now() + SAFETY_POLL_MS;
    const now = await ask(currentSnapshot);
    if (now !== seen) {
      kick();
      await armAgain({ ask, flag, sequence });
    }
    seen = now;
  }
}

/** Another runner of the sync, at work for another target or dead since, may have left the flag at `busy`: nobody would notify us. */
async function armAgain({ ask, flag, sequence }: Pick<FlagParts, 'ask' | 'flag' | 'sequence'>): Promise<void> {
  const isBusy = Number(await ask(readFlag, [sequence])) === FLAG.busy;
  if (isBusy && flag.value === FLAG.armed) await ask(setFlag, [sequence, String(FLAG.armed)]);
}
