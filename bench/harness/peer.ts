import type { TestDatabase } from '../../test/support/database.ts';

/** Source and target of one measurement, on two servers. */
export type Databases = { readonly source: TestDatabase; readonly target: TestDatabase };

/** `none` is the source alone; `pipe` is COPY TO piped into COPY FROM. */
export type PeerName = 'none' | 'pipe' | 'native' | 'sarrio' | 'bucardo';

/** Something that follows the source. */
export type Follower = {
  /** Largest resident memory of its own process so far, in MB; null when it has none that could be compared. */
  peakMb(): Promise<number | null>;
  stop(): Promise<void>;
  /** Its own process while the source goes on being captured; `resume` returns at once. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Returns when it says that it follows again. */
  isRunning(): Promise<unknown>;
  /** Of its own process, for what it uses while nothing happens; null when it has none. */
  pid(): number | null;
};

/** What is measured: Sarrio, what it is compared with, and doing nothing. */
export type Peer = {
  readonly name: PeerName;
  /** Why it cannot be measured here; null when it can. */
  missing(): Promise<string | null>;
  /** Returns when changes flow; the tables are equal on both sides. */
  follow(databases: Databases): Promise<Follower>;
  /** All that comes before the copy. The returned function starts the copy into empty tables and may return before its rows are visible. */
  prepareCopy(databases: Databases): Promise<() => Promise<Follower>>;
};
