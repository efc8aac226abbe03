import type { TestDatabase } from '../../test/support/database.ts';
import type { Databases, Peer, PeerName } from './peer.ts';

/** Figures of one repetition by name. */
export type Measures = Readonly<Record<string, number>>;

/** One line of the table. */
export type Line = {
  readonly measure: string;
  /** With its unit. */
  readonly title: string;
  readonly goal?: Goal;
};

/** What Sarrio must reach: so many times another peer's median of the same run, or this figure; at most or at least. */
export type Goal = { readonly to?: PeerName } & ({ readonly atMost: number } | { readonly atLeast: number });

export type Workload = {
  readonly name: string;
  readonly title: string;
  /** A program that it needs, such as `pgbench`. */
  readonly needs?: string;
  readonly peers: readonly Peer[];
  readonly lines: readonly Line[];
  /** Makes the tables, and the source's rows when `isSource`; runs once, every repetition starts from copies of these databases. */
  readonly prepare: (database: TestDatabase, size: { isSource: boolean; scale: number }) => Promise<void>;
  /** One measurement; checks at its end that all rows are equal. */
  readonly measure: (peer: Peer, databases: Databases, scale: number) => Promise<Measures>;
};

export const MEMORY: Line = { measure: 'peakMb', title: 'peak memory of the runner, MB', goal: { atMost: 150 } };

/** For peers that have a process of their own. */
export function memoryOf(peak: number | null): Measures {
  return peak === null ? {} : { peakMb: peak };
}
