import type { Clock } from '../../clock.ts';
import { makeGate } from '../../gate.ts';
import type { Wake } from '../wake.ts';

/** The wakes of all members as one: whoever has changes lets the sync look. */
export type Looks = {
  /** Grows with every sign of new changes. */
  generation(): number;
  /** Resolves when there may be something new since `seen`, or after `ms`. */
  wait(seen: number, ms: number): Promise<void>;
  /** A round has ended in which these had changes: each of them is told how many such rounds came in a row. */
  found(had: readonly Wake[]): Promise<void>;
  gathering(ms: number): void;
  kick(): void;
  /** From now on this member's wakes count too, until it is lost. */
  attach(wake: Wake): void;
  detach(wake: Wake): void;
};

export function makeLooks(clock: Clock): Looks {
  const gate = makeGate(clock);
  const wakes = new Set<Wake>();
  const known = new WeakSet<Wake>();
  const inRow = new WeakMap<Wake, number>();
  const state = { generation: 0 };
  const kick = (): void => {
    state.generation += 1;
    gate.open();
  };
  return {
    generation: () => state.generation,
    wait: async (seen, ms) => {
      if (state.generation === seen) await gate.wait(ms);
    },
    // A wake that is lost meanwhile takes its member with it.
    found: async (had) => {
      for (const wake of wakes) inRow.set(wake, had.includes(wake) ? (inRow.get(wake) ?? 0) + 1 : 0);
      await Promise.allSettled(had.map((wake) => wake.found(inRow.get(wake) ?? 0)));
    },
    gathering: (ms) => {
      for (const wake of wakes) wake.gathering(ms);
    },
    kick,
    attach: (wake) => {
      wakes.add(wake);
      if (!known.has(wake)) wake.onKick(kick);
      known.add(wake);
    },
    detach: (wake) => void wakes.delete(wake),
  };
}
