import { isServerGone } from '../support/workload.ts';
import { pause } from '../support/wait.ts';
import type { Stage } from './stage.ts';
import { READ_BEAT, WRITE_BEAT } from './texts.sql.ts';

/** How old the target's newest row is, all the time. */
export type LagMeter = { stop(): Promise<{ readonly medianMs: number; readonly longestMs: number }> };

const EVERY_MS = 50;

export function startLagMeter({ source, target }: Stage): LagMeter {
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
    const row = (await target.database.query<{ ms: number }>(READ_BEAT))[0];
    if (row) ages.push(row.ms);
  };
  const loops = [loop(() => source.database.query(WRITE_BEAT)), loop(read)];
  return {
    stop: async () => {
      state.on = false;
      await Promise.all(loops);
      const sorted = [...ages].sort((a, b) => a - b);
      return { medianMs: sorted[sorted.length >> 1] ?? Number.NaN, longestMs: sorted[sorted.length - 1] ?? Number.NaN };
    },
  };
}
