import type { Clock } from '../../clock.ts';
import type { Stop } from './stop.ts';

/** A try costs all tables of the sync what it takes, so tries may take one part in so many of the time; they come at most this often. */
const SHARE = 20;
const FIRST_WAIT_MS = 1_000;
/** Whatever mended the table may have left no trace: it is tried again this often at least. */
const LONGEST_WAIT_MS = 60_000;

/** Whoever holds tables back looks this often whether he still has to. */
const HELD_MS = 1_000;

/** The tables of one sync that do not go on while the others do, and when each is tried again. */
export type StoppedTables = {
  /** Those that sit the next round out; the others of them are tried in it. */
  waiting(): ReadonlySet<number>;
  /** A try that took so long came to this. True when the table is not known to be stopped for this reason. */
  stop(stop: Stop, tookMs: number): boolean;
  /** These are out until they are not among them any more; then they are tried at once. Returns those that are not known to be stopped for this reason. */
  hold(stops: readonly Stop[]): readonly Stop[];
  isHolding(): boolean;
  /** Something was changed in them: perhaps they were mended. */
  changed(tables: ReadonlySet<number>): void;
  /** A round went through while these sat it out: every other one goes on again. Returns those that were stopped until now. */
  wentThrough(waiting: ReadonlySet<number>): readonly number[];
  /** Whatever was known of them, all are tried at once. */
  tryAll(): void;
  /** Milliseconds until the next try; infinite when no table is stopped. */
  dueIn(): number;
  has(table: number): boolean;
  all(): readonly Stop[];
};

type Entry = { stop: Stop; isHeld: boolean; readonly next: { tried: number; pause: number; wait: number } };

export function makeStoppedTables(clock: Clock): StoppedTables {
  const entries = new Map<number, Entry>();
  const dueAt = ({ next: { tried, wait } }: Entry): number => tried + wait;
  return {
    waiting: () => new Set([...entries].filter(([, entry]) => entry.isHeld || dueAt(entry) > clock.now()).map(([table]) => table)),
    stop: (stop, tookMs) => {
      const known = entries.get(stop.table);
      const pause = Math.max(FIRST_WAIT_MS, SHARE * tookMs);
      const wait = Math.min(Math.max(LONGEST_WAIT_MS, pause), known === undefined ? pause : Math.max(pause, 2 * known.next.wait));
      entries.set(stop.table, { stop, isHeld: false, next: { tried: clock.now(), pause, wait } });
      return known?.stop.message !== stop.message;
    },
    hold: (stops) => {
      const held = new Set(stops.map(({ table }) => table));
      for (const [table, entry] of entries) if (entry.isHeld && !held.has(table)) entry.isHeld = false;
      const news = stops.filter(({ table, message }) => entries.get(table)?.stop.message !== message);
      for (const stop of stops) entries.set(stop.table, { stop, isHeld: true, next: { tried: clock.now(), pause: 0, wait: 0 } });
      return news;
    },
    isHolding: () => [...entries.values()].some(({ isHeld }) => isHeld),
    changed: (tables) => {
      for (const [table, { next }] of entries) if (tables.has(table)) next.wait = Math.min(next.wait, next.pause);
    },
    wentThrough: (waiting) => {
      const going = [...entries.keys()].filter((table) => !waiting.has(table));
      for (const table of going) entries.delete(table);
      return going;
    },
    tryAll: () => {
      for (const { next } of entries.values()) Object.assign(next, { wait: 0, pause: 0 });
    },
    dueIn: () =>
      Math.min(Number.POSITIVE_INFINITY, ...[...entries.values()].map((entry) => (entry.isHeld ? HELD_MS : Math.max(0, dueAt(entry) - clock.now())))),
    has: (table) => entries.has(table),
    all: () => [...entries.values()].map(({ stop }) => stop),
  };
}
