import type { TestDatabase } from '../support/database.ts';
import { isServerGone } from '../support/workload.ts';
import { pause } from '../support/wait.ts';
import { READ_BEAT, WRITE_BEAT } from './texts.sql.ts';

/** How old the newest row is where it arrives, all the time. */
export type LagMeter = { stop(): Promise<string> };

const EVERY_MS = 50;

export function startLagMeter(from: TestDatabase, to: TestDatabase): LagMeter {
  const state = { on: true };
  const ages: number[] = [];
  const loop = async (task: () => Promise<unknown>): Promise<void> => {
    while (state.on) {
      await task().catch((error: unknown) => {
        if (!isServerGone(error)) throw error;
      });
      await pause(EVERY_MS);
    }
  };
  const read = async (): Promise<void> => {
    const row = (await to.query<{ ms: number }>(READ_BEAT))[0];
    if (row) ages.push(row.ms);
  };
  const loops = [loop(() => from.query(WRITE_BEAT)), loop(read)];
  return {
    stop: async () => {
      state.on = false;
      await Promise.all(loops);
      const sorted = [...ages].sort((a, b) => a - b);
      const [median = Number.NaN, longest = Number.NaN] = [sorted[sorted.length >> 1], sorted[sorted.length - 1]];
      return `lag ms: median ${median.toFixed(0)}, longest ${longest.toFixed(0)}`;
    },
  };
}
