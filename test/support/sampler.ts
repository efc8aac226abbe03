import type { TestDatabase } from './database.ts';
import { pause } from './wait.ts';
import { INVARIANT, isServerGone, MONEY } from './workload.ts';

/** A reader of the target who looks all the time. */
export type Sampler = {
  /** Looks that got an answer so far. */
  readonly looks: () => number;
  /** States that the source never had; must be empty. */
  stop(): Promise<readonly string[]>;
};

/** Begin it when the initial copy is over: before, the target's tables come one by one. */
export function startSampler(target: TestDatabase, everyMs = 25): Sampler {
  const state = { on: true, looks: 0 };
  const halves = new Set<string>();
  const loop = async (): Promise<void> => {
    while (state.on) {
      const row = await target.query(INVARIANT).then((rows) => rows[0], ignoreDownServer);
      if (row) state.looks += 1;
      if (row && (row['balance'] !== MONEY || row['half'] !== 0)) halves.add(JSON.stringify(row));
      await pause(everyMs);
    }
  };
  const looking = loop();
  return {
    looks: () => state.looks,
    stop: async () => {
      state.on = false;
      await looking;
      return [...halves];
    },
  };
}

/** While its server is down a reader sees nothing at all. */
function ignoreDownServer(error: unknown): undefined {
  if (!isServerGone(error)) throw error;
}
