import type { RunnerEvent, StreamName, StreamState } from '../../runner/events.ts';
import { stateOf } from '../../runner/8-round/stream-state.ts';
import type { SyncRun } from '../../runner/8-round/sync-runner.ts';

/** One stream of this runner. */
export type StreamHealth = StreamName & {
  readonly state: StreamState;
  /** Nothing was pending when it looked last. */
  readonly isCaughtUp: boolean;
  /** Rows that it has applied since the run began. */
  readonly rows: number;
};

export type HealthReport = {
  /** Every stream does its work, or has a reason of ours not to (standby, paused, waiting for approval). */
  readonly isReady: boolean;
  readonly streams: readonly StreamHealth[];
  /** By sync, since the process began. */
  readonly rounds: ReadonlyMap<string, number>;
  readonly conflicts: ReadonlyMap<string, number>;
};

/** What a runner knows of itself, without asking a database. */
export type Health = {
  /** A run began with these streams, in the place of all before. */
  began(streams: SyncRun['streams']): void;
  heard(event: RunnerEvent): void;
  report(): HealthReport;
};

const AT_WORK: ReadonlySet<StreamState> = new Set(['running', 'copying', 'standby', 'paused', 'waiting']);

export function makeHealth(): Health {
  const state: { streams: SyncRun['streams'] } = { streams: [] };
  const rounds = new Map<string, number>();
  const conflicts = new Map<string, number>();
  const add = (counts: Map<string, number>, sync: string, count: number): void => void counts.set(sync, (counts.get(sync) ?? 0) + count);
  return {
    began: (streams) => {
      state.streams = streams;
    },
    heard: (event) => {
      if (event.kind === 'round') add(rounds, event.stream.sync, 1);
      if (event.kind !== 'masters-round') return;
      add(rounds, event.sync, 1);
      add(conflicts, event.sync, event.conflicts);
    },
    report: () => {
      const streams = state.streams.map(({ stream, progress }): StreamHealth => {
        const { isCaughtUp, rows } = progress;
        return { ...stream, state: stateOf(progress), isCaughtUp, rows };
      });
      return { isReady: streams.length > 0 && streams.every((each) => AT_WORK.has(each.state)), streams, rounds, conflicts };
    },
  };
}
