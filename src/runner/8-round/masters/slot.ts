import type { History } from '../../../plan/position.ts';
import type { Clock } from '../../clock.ts';
import { orDestroy } from '../../postgres/or-destroy.ts';
import type { Session } from '../../postgres/session.ts';
import type { Source } from '../source.ts';
import type { Wake } from '../wake.ts';
import type { SourceAccess } from '../stream-options.ts';

const FIRST_RETRY_MS = 200;
const LAST_RETRY_MS = 30_000;

/** A member's connections while it is up. */
export type Live = {
  readonly source: Source;
  readonly wake: Wake;
  /** For the rounds. */
  readonly session: Session;
  readonly history: History;
  /** Value of `sarrio.registry` when its streams were looked at last. */
  registry: string;
};

/** The place of one member in a sync, whether it is up or not. */
export type Slot = {
  readonly index: number;
  readonly name: string;
  live: Live | null;
  /** Failures in a row, and the last of them. */
  failures: number;
  error: unknown;
  copying: Copying | null;
};

/** What a member lacks is being copied beside the rounds of the others. It outlives the connection that it was begun over. */
export type Copying = {
  /** Never rejects. */
  readonly ended: Promise<void>;
  /** Cuts its connections; what has come in ranges stays. */
  stop(): void;
};

export type SlotParts = {
  readonly access: SourceAccess;
  readonly connect: () => Promise<Session>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onCome: (live: Live) => void;
  readonly onGone: (live: Live) => void;
  readonly onFailure: (slot: Slot, inMs: number) => void;
};

/** Keeps one member connected until the signal: it is retried alone, with growing pauses and jitter, while the others go on. */
export async function keepSlot(slot: Slot, parts: SlotParts): Promise<void> {
  const { clock, signal, onCome, onFailure } = parts;
  while (!signal.aborted) {
    try {
      const live = await open(parts);
      slot.live = live;
      onCome(live);
      await goneOf(live, signal);
    } catch (error) {
      fail(slot, error);
    }
    closeLive(slot, parts);
    if (signal.aborted) return;
    const inMs = Math.min(FIRST_RETRY_MS * 2 ** Math.max(0, slot.failures - 1), LAST_RETRY_MS) * (0.5 + clock.random() / 2);
    if (slot.failures > 0) onFailure(slot, inMs);
    await clock.sleep(inMs, signal);
  }
}

/** Takes a member out: its connection is dropped, and `keepSlot` connects it anew after a pause. */
export function drop(slot: Slot, error: unknown): void {
  fail(slot, error);
  slot.live?.session.destroy();
}

/** It is not up, and not known to be away: the first attempt since it was not, or since the beginning, has no outcome yet. */
export function isBeingConnected({ live, failures }: Slot): boolean {
  return live === null && failures === 0;
}

function fail(slot: Slot, error: unknown): void {
  slot.failures += 1;
  slot.error = error;
}

async function open({ access, connect }: SlotParts): Promise<Live> {
  const { source, wake } = await access();
  const session = await connect();
  return orDestroy(session, async () => ({ source, wake, session, history: source.history, registry: '' }));
}

/** Resolves when one of its connections is lost, or the run ends. */
async function goneOf({ session, source }: Live, signal: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    const end = (): void => {
      signal.removeEventListener('abort', end);
      resolve();
    };
    session.onLost(end);
    source.onLost(end);
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
  });
}

function closeLive(slot: Slot, { onGone }: SlotParts): void {
  const { live } = slot;
  slot.live = null;
  if (live === null) return;
  live.session.destroy();
  onGone(live);
}
