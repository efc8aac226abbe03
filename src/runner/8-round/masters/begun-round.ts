import type { HandlerDecision, HandlerFailure } from '../../../conflict/handlers/judge.ts';
import type { ClashDecision, HandlerClash } from '../../../conflict/handlers/judge-clash.ts';
import type { HandlerConflict } from '../../../conflict/handlers/message.ts';
import type { ConflictRule } from '../../../plan/conflict-rule.ts';
import type { UniqueRule } from '../../../plan/unique-rule.ts';
import type { Failpoint } from '../../failpoint.ts';
import type { KnownMarks } from './known-marks.ts';
import type { Member } from './member.ts';
import type { Ruling, RulingSource } from './ruling.ts';

/** One pass over a multi-master sync. */
export type MasterRound = {
  /** Those that are up, ordered by index; two at least. */
  readonly members: readonly Member[];
  /** Every database of the sync, by index; in a ring every one from which changes come, its members first. */
  readonly databases: readonly string[];
  /** Whether changes may come to a member by more than one way. */
  readonly isRing: boolean;
  /** The rule of each table, by ordinal. */
  readonly rules: readonly ConflictRule[];
  /** The names of the values of a table's rows, by ordinal. */
  readonly columns: readonly (readonly string[])[];
  /** Those of which no record shows the values, by ordinal. */
  readonly masked: readonly (readonly string[])[];
  /** The rule of each table for unique values that are taken twice, by ordinal. */
  readonly uniqueRules: readonly (UniqueRule | null)[];
  /** By ordinal, the layout of the old rows that are kept of a table whose handler asks for the last common one; null for others. */
  readonly layouts?: readonly (string | null)[];
  /** The key's columns of each table, by ordinal. */
  readonly keys: readonly (readonly string[])[];
  /** What is known of the watermarks from the last round. Kept up to date by the rounds. */
  readonly known: KnownMarks;
  /** Tables that sit the round out: nothing of them is read or written, and what each member has applied of them is held. */
  readonly stopped: ReadonlySet<number>;
  /** Tables to lock before the snapshots are taken. */
  readonly lock: readonly number[];
  /** Tables to keep as they are from before the snapshots on. */
  readonly keep: readonly number[];
  /** Filled with the tables in which something was pending, also by a round that fails. */
  readonly touched: Set<number>;
  /** Beyond this difference of two members' clocks no conflict is decided by time. */
  readonly maxClockSkewMs: number;
  /** Milliseconds from an unspecified start. */
  readonly now: () => number;
  /** Decides conflicts of a table whose rule is a handler, in their order. */
  readonly decideByHandler: (table: number, conflicts: readonly HandlerConflict[]) => Promise<readonly (HandlerDecision | HandlerFailure)[]>;
  /** Says what becomes of rows of a table that hold one unique value, where its rule for that is a handler, in the order of the clashes. */
  readonly unclashByHandler: (table: number, clashes: readonly HandlerClash[]) => Promise<readonly (ClashDecision | HandlerFailure)[]>;
  /** What was said of single rows that a member did not take before. */
  readonly rulings: RulingSource;
  /** An id for the next conflict. */
  readonly newId: () => string;
  readonly failpoint: Failpoint;
};

/** A round whose snapshots are taken. */
export type BegunRound = MasterRound & {
  /** How far the members' clocks are apart at least. */
  readonly skewMicros: bigint;
  /** The latest of their clocks, in microseconds since 1970. */
  readonly nowMicros: bigint;
  /** The transaction of each member in this round, by index; filled when all of them have answered, before anything is written. */
  readonly xids: ReadonlyMap<number, bigint>;
  /** What was said of single rows and holds in these snapshots. */
  readonly ruled: readonly Ruling[];
};

/** What became of the contested keys of a table. */
export type Contested = { readonly conflicts: number; readonly settled: number; readonly fresh: number };
