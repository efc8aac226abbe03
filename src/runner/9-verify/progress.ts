import type { Clock } from '../clock.ts';
import type { StreamName } from '../events.ts';
import type { VerifyLog, VerifyProgress } from './verify-event.ts';
import type { TableResult } from './table-result.ts';

/** How often it is said what is being compared, when nothing is finished meanwhile. */
const EVERY_MS = 5_000;

/** Keeps count, and reports. */
export type ProgressKeeper = {
  started(table: { stream: StreamName; table: string }): void;
  finished(result: TableResult, estimate: number): void;
  end(): void;
};

/** `estimates` are the rows that the statistics of the source expect, for each table that will be compared. */
export function keepProgress(parts: { estimates: readonly number[]; clock: Clock; log: VerifyLog }): ProgressKeeper {
  const { clock, log, estimates } = parts;
  const began = clock.now();
  const total = sum(estimates);
  const state = { tables: 0, rows: 0, expected: 0 };
  const working = new Map<string, { stream: StreamName; table: string }>();
  const ended = new AbortController();
  const progress = (): VerifyProgress => {
    const ms = Math.max(1, clock.now() - began);
    const leftMs = state.expected > 0 ? (ms * (total - state.expected)) / state.expected : null;
    return { tables: state.tables, ofTables: estimates.length, rows: state.rows, rowsPerSecond: (state.rows * 1000) / ms, leftMs };
  };
  const tell = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      await clock.sleep(EVERY_MS, ended.signal);
      if (!ended.signal.aborted && working.size > 0) log({ kind: 'working', tables: [...working.values()], progress: progress() });
    }
  };
  void tell();
  return {
    started: (table) => void working.set(keyOf(table), table),
    finished: (result, estimate) => {
      working.delete(keyOf({ stream: result.stream, table: result.target }));
      state.tables += 1;
      state.rows += result.rows?.source ?? 0;
      state.expected += estimate;
      log({ kind: 'compared', result, progress: progress() });
    },
    end: () => ended.abort(),
  };
}

function keyOf({ stream, table }: { stream: StreamName; table: string }): string {
  return JSON.stringify([stream, table]);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
