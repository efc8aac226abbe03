import type { StreamName } from '../events.ts';
import type { Waiting } from './guard/approvals.ts';

/** One stream as `sarrio status` shows it. */
export type StreamStatus = StreamName & {
  /**
   * `detached`, `paused` or `waiting` (for approval), else what the runner last said: `running`, `copying`, `failed` …; `unverified` while it runs and waits for a
   * comparison; `not running` when it has said nothing for long, `unknown` when the source cannot be asked.
   */
  readonly state: string;
  /** Why it is detached, paused, waiting or unverified, and since when; null otherwise. */
  readonly reason: string | null;
  /** Percent of `maxBacklog` that the target holds back; 0 while it is far from it, null without a budget. */
  readonly backlogPercent: number | null;
  /** Seconds since the oldest pending change was made; 0 when nothing is pending; null when it cannot be known. */
  readonly lagSeconds: number | null;
  /** Entries in the source's delta tables that the target has not applied; null when it cannot be known. */
  readonly pending: number | null;
  readonly rowsPerSecond: number;
  readonly appliedRows: number | null;
  readonly lastRoundAt: string | null;
  readonly lastError: string | null;
  readonly lastErrorAt: string | null;
  readonly runner: string | null;
  /** Of a full copy, the last one; null where there was none, and for streams that follow changes. */
  readonly lastCopy: LastCopyStatus | null;
  /** Tables of the source of which changes may have gone by uncaptured. */
  readonly unsafe: readonly { readonly table: string; readonly reason: string; readonly since: string | null }[];
  /** Tables that the target does not take while the rest of the sync goes on. */
  readonly stopped: readonly StoppedTable[];
  /** What waits in the target until somebody approves it. */
  readonly waiting: Waiting | null;
  /** Rows that the target keeps apart, because others hold their unique values. */
  readonly parked: number;
};

/** The last full copy, and when the next one comes. */
export type LastCopyStatus = {
  /** When it was begun, by the source's clock: its rows are those of that moment. */
  readonly at: string;
  readonly rows: number;
  readonly seconds: number;
  /** Seconds until the next one, 0 when it is due; null when it comes only if somebody asks for it. */
  readonly nextInSeconds: number | null;
};

/** `key` is that of the row, by column as text, where it is known. */
export type StoppedTable = {
  readonly table: string;
  readonly code: string;
  readonly reason: string;
  readonly hint: string;
  readonly key: Readonly<Record<string, string | null>> | null;
  readonly since: string;
};
