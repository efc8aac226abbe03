import type { History, Position } from '../../plan/position.ts';
import type { Clock } from '../clock.ts';
import type { Log, StreamName } from '../events.ts';
import type { Failpoint } from '../failpoint.ts';
import type { Throttle } from '../postgres/copy.ts';
import type { Session } from '../postgres/session.ts';
import type { Reading } from './reading.ts';
import type { StreamTable } from './work.ts';

/** A member that joins, as the source that it is as well. */
export type Joining = {
  readonly history: History;
  /** By ordinal: keeps applications from writing to the table, and counts what they have written since a position. */
  readonly tables: readonly { readonly lock: string; readonly countPending: string }[];
};

/** A stream's tables that the target does not hold yet. */
export type InitialCopy = {
  readonly stream: StreamName;
  readonly reading: Reading;
  readonly connectTarget: () => Promise<Session>;
  readonly missing: readonly StreamTable[];
  /** oid of each table's delta table, by ordinal. */
  readonly captures: readonly string[];
  readonly registration: string;
  /** What the stream has acknowledged: changes before it may be gone. */
  readonly acknowledged: Position | null;
  /** Whether rows that a table holds are compared, and only what differs is written. */
  readonly adopts: boolean;
  /** Whether the rows that the table holds may go. */
  readonly replacesRows: (table: StreamTable) => boolean;
  readonly jobs: number;
  /** A larger table is copied in ranges of this size. */
  readonly chunkBytes: number;
  readonly throttle: Throttle | null;
  /** Between masters: the target as the source that it is as well. */
  readonly joining: Joining | null;
  readonly clock: Clock;
  readonly log: Log;
  readonly failpoint: Failpoint;
};
