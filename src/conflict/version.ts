import type { ChangeName } from './change-names.ts';
import type { Change } from './change.ts';

/** What one member of a round holds of one key: a change that at least one other present member has not seen. */
export type Version = {
  /** Index of the member in the sync's order of databases. */
  readonly member: number;
  /** Bit `1 << n` is set when the present member with index n has not seen this change. Never 0. */
  readonly pendingAt: number;
  /** When the row was changed last, in microseconds since 1970. */
  readonly at: bigint;
  /** What the pending changes came to: the row is new, or changed, or gone. */
  readonly op: 'insert' | 'update' | 'delete';
  /** The same for rows that are the same to the last byte; empty where there is none. */
  readonly image: string;
  /** The changes that the pending entries stand for. Null when they are not all named. */
  readonly names: readonly ChangeName[] | null;
  /** What made the row, for tables whose rule asks for it: at least all that one of the other present members does not have. */
  readonly changes?: readonly Change[];
};

/** A key of which several members hold changes. */
export type ContestedKey = {
  /** The key's columns as one member's server writes them. Other members may spell it otherwise. */
  readonly key: readonly string[];
  /** Ordered by member; at least two. */
  readonly versions: readonly Version[];
};
