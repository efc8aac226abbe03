import type { TableState } from '../table-result.ts';

/** One key that the members of a sync do not hold alike. Values of other columns are never read. */
export type MastersDifference = {
  /** Key columns, values as text. */
  readonly key: Readonly<Record<string, string>>;
  /** Members that have the row, those with like rows together. */
  readonly have: readonly (readonly string[])[];
  /** Members that do not have it. */
  readonly lack: readonly string[];
  /** Columns in which the rows are not alike. */
  readonly columns: readonly string[];
};

/** What the members of a sync do not hold alike in one table. */
export type MastersDifferences = {
  /** Number of keys. */
  readonly keys: number;
  /** How many of them have rows that are not alike. */
  readonly different: number;
  /** By member, how many of them it lacks. */
  readonly lacking: Readonly<Record<string, number>>;
  /** Keys that differ and whose change is on its way: the next round settles them, so they say nothing. */
  readonly inFlight: number;
  readonly columns: readonly { readonly column: string; readonly rows: number }[];
  /** The first of them, in the order of the key. */
  readonly listed: readonly MastersDifference[];
};

/** What would make one member equal to the one whose rows are right. */
export type MemberWrites = { readonly member: string; readonly inserts: number; readonly updates: number; readonly deletes: number };

/** What verify found of one table of a multi-master sync, all members against all. */
export type MastersResult = {
  readonly sync: string;
  /** Display name. */
  readonly table: string;
  /** Those that were compared. */
  readonly members: readonly string[];
  /** Those that could not be, and why. */
  readonly absent: readonly { readonly member: string; readonly reason: string }[];
  readonly state: TableState;
  readonly reason: string | null;
  /** Rows that were compared, by member; null when none were. */
  readonly rows: Readonly<Record<string, number>> | null;
  readonly differences: MastersDifferences;
  /** With a member whose rows are right: what the others would get, and the keys that became new changes of it. */
  readonly repair: { readonly from: string; readonly writes: readonly MemberWrites[]; readonly recorded: number | null } | null;
  readonly ms: number;
};

export const ALL_ALIKE: MastersDifferences = { keys: 0, different: 0, lacking: {}, inFlight: 0, columns: [], listed: [] };
