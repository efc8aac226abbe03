import type { Flow } from '../../plan/flows.ts';
import type { Clock } from '../clock.ts';
import type { Log, StreamName, StreamState } from '../events.ts';
import type { Failpoint } from '../failpoint.ts';
import type { Session } from '../postgres/session.ts';
import type { StreamShapes } from './changed-tables/table-watch.ts';
import type { Source } from './source.ts';
import type { Wake } from './wake.ts';

/**
 * A copy of tables beside the rounds. It outlives its stream's connection, so that no second one of the same tables is begun beside it.
 * `failed` counts how often it failed in a row: rounds that go well meanwhile do not make it any better.
 */
export type CopyAside = { running: Promise<void> | null; failed: number };

export type StreamOptions = {
  readonly project: string;
  readonly stream: StreamName;
  readonly sync: Flow;
  /** Delta tables by ordinal, as the plan names them. */
  readonly deltas: readonly string[];
  readonly shapes: StreamShapes;
  readonly access: SourceAccess;
  readonly connectTarget: () => Promise<Session>;
  readonly progress: StreamProgress;
  /** Of initial copies; null leaves it to the config. */
  readonly jobs?: number | null;
  readonly until: Until;
  readonly clock: Clock;
  readonly log: Log;
  readonly failpoint: Failpoint;
  readonly signal: AbortSignal;
};

/** The source as a stream sees it: connected, or an error that the stream reports as its own. */
export type SourceAccess = () => Promise<{ readonly source: Source; readonly wake: Wake }>;

/**
 * What the reporter and `--until-caught-up` know of a stream. `isFailing` outlasts a reconnection after a failure of the work itself
 * (`failedAtWork`), so that a stream which fails in every round is not called running in between.
 */
export type StreamProgress = {
  state: StreamState;
  rows: number;
  lastError: string | null;
  lastRound: boolean;
  isCaughtUp: boolean;
  isFailing: boolean;
  failedAtWork: boolean;
};

/** When a stream ends by itself: never, when nothing is pending, or after one look. */
export type Until = 'stopped' | 'caught-up' | 'once';
