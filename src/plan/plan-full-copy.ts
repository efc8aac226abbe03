import type { QualifiedName } from '../sql/quote.ts';
import type { Schedule } from './schedule.ts';
import type { PlanColumn } from './plan-column.ts';

/** How the rows of a target are replaced; the config's `FullCopyMethod` says what each means. */
export type CopyMethod = 'delete' | 'truncate' | 'swap' | 'changed-only';

/** A group of tables of which every target gets all rows anew, in one transaction, when they are due or asked for. */
export type PlanFullCopy = {
  readonly mode: 'full-copy';
  readonly source: string;
  readonly targets: readonly string[];
  readonly method: CopyMethod;
  /** Null: only when asked for, after the first time. */
  readonly schedule: Schedule | null;
  /** How long a lock is waited for, others queueing behind, before the copy steps back. */
  readonly lockTimeoutMs: number;
  /** Sequence in the source, as `PlanOneWay.wake`. */
  readonly wake: string;
  readonly tables: readonly PlanCopyTable[];
  /** Statements for each group of targets whose tables are alike. */
  readonly routes: readonly PlanCopyRoute[];
};

export type PlanCopyTable = {
  readonly source: QualifiedName;
  readonly target: QualifiedName;
  /** By their names on the source; empty but for `changed-only`. */
  readonly key: readonly string[];
  readonly columns: readonly PlanColumn[];
  /** Row filter in the source, if any (documentation; the statements contain it). */
  readonly where: string | null;
  /** Reads no row, but fails where the row filter or a computed column would; null without either. For `plan`. */
  readonly check: string | null;
};

/** Run on the target with `session_replication_role = replica`, in the order of the fields, in one transaction up to `swap`. */
export type PlanCopyRoute = {
  readonly targets: readonly string[];
  /** Locks all tables of the group, each mode as weak as the method allows; null for `swap`, which locks in the end. */
  readonly lock: string | null;
  /** Empties all tables: `delete` and `truncate`. */
  readonly clear: readonly string[];
  /** In the order of `PlanFullCopy.tables`. */
  readonly tables: readonly CopyStatements[];
  /** `swap`: the new tables take the names of the old ones; everything that waits for a lock of a reader is in here. */
  readonly swap: string | null;
  /** Fails when a foreign key of the tables, or one that points to them, does not hold. */
  readonly checkReferences: string;
  /** `swap`, after the commit, each in a transaction of its own: validates foreign keys, which were taken over unchecked. */
  readonly validate: readonly string[];
};

export type CopyStatements = {
  readonly copyFormat: 'binary' | 'text';
  /** `swap`: refuses a table that cannot be replaced by a new one, then creates the new one. */
  readonly create: string | null;
  /** On the source: `COPY … TO STDOUT` of all rows. `changed-only` needs it for an empty target. */
  readonly copyAll: string;
  /** `COPY … FROM STDIN` of the same bytes. */
  readonly load: string;
  /** `swap`: gives the new table indexes, constraints, privileges and all else that the old one has. */
  readonly finish: string | null;
  readonly changed: ChangedStatements | null;
  /** Where the target table is captured for another sync: one entry that lets it take all rows anew, and the flags of those that read it. */
  readonly relay: { readonly entry: string; readonly wakes: readonly { readonly sync: string; readonly sequence: string }[] } | null;
};

/** `changed-only`. The buckets to read are in the setting `sarrio.buckets`, a bytea with one bit for each; all of them when it is empty. */
export type ChangedStatements = {
  /** Number of buckets: a row belongs to the one that a hash of its key says. */
  readonly buckets: number;
  /** For each bucket that has rows: `bucket`, `rows`, `hash` (the sum of the rows' hashes). */
  readonly sumSource: string;
  readonly sumTarget: string;
  /** `COPY … TO STDOUT` of the rows of the buckets. */
  readonly copyRows: string;
  /** The session's temporary table with the source's rows of these buckets, and `COPY … FROM STDIN` into it. */
  readonly createStage: string;
  readonly loadStage: string;
  readonly analyzeStage: string;
  /** Deletes the target's rows of these buckets that are not exactly as staged, then inserts those staged that are missing. */
  readonly deleteDiffering: string;
  readonly insertMissing: string;
};
