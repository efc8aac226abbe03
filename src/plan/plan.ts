import type { QualifiedName } from '../sql/quote.ts';
import type { ConflictRule, HandlerRule } from './conflict-rule.ts';
import type { ExistingRows, PlanCopy, RangeReadStatements } from './plan-copy.ts';
import type { GuardApplyStatements, GuardReadStatements, PlanGuard } from './plan-guard.ts';
import type { PlanFullCopy } from './plan-full-copy.ts';
import type { MasterStatements, PlanRing } from './plan-masters.ts';
import type { PlanCarry, PlanSequence, PlanWatched } from './plan-sequence.ts';
import type { Approval } from './hazards.ts';
import type { VerifyStatements } from './plan-verify.ts';
import type { UniqueRule } from './unique-rule.ts';
import type { PlanColumn } from './plan-column.ts';

/** Major.minor of `generated/plan.yaml`. A reader refuses another major, and a minor newer than its own. */
export const PLAN_FORMAT = '1.4';

/** The oldest that is still read: plans of the version before may be applied and run while those of this one are reviewed. */
export const OLDEST_PLAN_FORMAT = '1.2';

/** Capabilities that a plan may require of its runner. A runner refuses a plan that names one it does not have. */
export const CAPABILITIES = ['one-way', 'multi-master', 'full-copy', 'guard', 'keep-rows', 'adopt-rows', 'rebuild-indexes', 'ring', 'seed-in-ranges'] as const;

/**
 * Of a table with more pending entries than this, `ReadStatements.rows` does not give every row, and a runner may never ask it of more: the
 * plan says it (`fewEntries`). So many rows in memory cost less than the ten messages that a stage takes for each table.
 */
export const FEW_ENTRIES = 1_000;
/** The same in plans before format 1.3, which do not say it. */
export const FEW_ENTRIES_BEFORE = 200;

/** The runner plan, `generated/plan.yaml`: every object that stands in a database and every statement that touches a user's table. Format: FORMAT.md. */
export type Plan = {
  readonly format: string;
  readonly requires: readonly string[];
  /** Owner of the objects; part of every lock key, so that two projects on one server never meet. */
  readonly project: string;
  /** Hazards that the config approves; only where it does (since 1.2). */
  readonly approvals?: readonly Approval[];
  readonly databases: Readonly<Record<string, PlanDatabase>>;
  readonly syncs: Readonly<Record<string, PlanSync>>;
};

/** Roles that connect to a database besides the one that applies and owns everything. A verb whose role is not named runs as that one. */
export type DatabaseRoles = { readonly runner?: string; readonly reader?: string };

export type PlanDatabase = {
  /** Where the connection string comes from; resolved only when connecting. */
  readonly url: { readonly env: string };
  /** Only where the config names roles; their grants stand in the objects' blocks. */
  readonly roles?: DatabaseRoles;
  /** Objects of ours in the order in which they are installed. */
  readonly objects: readonly PlanObject[];
  /** Tables captured here, for purging and for switching segments. */
  readonly captures: readonly PlanCapture[];
  /** What the user's tables must look like here for the plan to fit, by display name. */
  readonly shapes: Readonly<Record<string, TableShape>>;
  /** Users' sequences that count in steps here, and those whose end the runner warns of; only where there are any. */
  readonly sequences?: readonly PlanSequence[];
  readonly watched?: readonly PlanWatched[];
};

export type ObjectKind = 'schema' | 'table' | 'index' | 'sequence' | 'function' | 'trigger';

export type PlanObject = {
  readonly kind: ObjectKind;
  /**
   * Identity in the catalog, as `installed.name` has it: `sarrio` (schema), `sarrio.delta_public_orders` (table, index, sequence),
   * `sarrio.capture_public_orders()` (function), `sarrio_insert on public.orders` (trigger).
   */
  readonly name: string;
  /** Objects of one group are installed in one transaction: a user's table by display name, or `sarrio` for the bookkeeping. */
  readonly group: string;
  /** Lock that installing takes on a user's table, with the table; null where only objects of ours are touched. */
  readonly lock: { readonly mode: string; readonly table: QualifiedName } | null;
  /** File under `generated/`, with forward slashes, and SHA-256 (hex) of the object's block in it. */
  readonly file: string;
  readonly hash: string;
};

export type PlanCapture = {
  readonly table: QualifiedName;
  /** The delta table (partitioned, no rows of its own), by display name. */
  readonly delta: string;
  /** Its segments in the order of their numbers 1, 2, 3. */
  readonly segments: readonly string[];
  /** Sequence whose value is the number of the segment that triggers write to. */
  readonly current: string;
  /** Sequence that is 1 when all segments are empty; triggers set it to 2. */
  readonly filled: string;
  readonly syncs: readonly string[];
  /** `always`: the triggers fire for sessions with `session_replication_role = replica` too, except for our own applying ones. */
  readonly captureTriggers: 'origin' | 'always';
  /** Run by apply when changes went by uncaptured: one entry that lets every target take all rows of the table anew, as after a TRUNCATE. */
  readonly refresh: string;
  /** Partitions below, each with the statement that records the keys of all its rows, for one that was attached with rows in it. */
  readonly partitions: readonly { readonly table: QualifiedName; readonly record: string }[];
};

export type TableShape = {
  /** What the plan does here. */
  readonly roles: readonly ('source' | 'target')[];
  readonly kind: 'table' | 'partitioned' | 'view' | 'materialized view' | 'foreign table';
  /** Column name -> type as `format_type` says it, for the columns that the plan uses. */
  readonly columns: Readonly<Record<string, string>>;
  /** Key columns; the table must have a unique index on exactly these. Empty where no key is needed. */
  readonly key: readonly string[];
  /** All partitions below, for a captured partitioned table; empty otherwise. */
  readonly partitions: readonly QualifiedName[];
  /** Columns that stood there and that the plan does not use; only where there are any. */
  readonly unused?: readonly string[];
  /** Only in a source whose columns flow without being named: a column that comes later is held to be meant to flow, too. */
  readonly takesNew?: true;
};

export type PlanSync = PlanOneWay | PlanMultiMaster | PlanFullCopy;

export type PlanOneWay = {
  readonly mode: 'one-way';
  readonly source: string;
  readonly targets: readonly string[];
  readonly existingRows: ExistingRows;
  /** What one target may hold back in the source before it is detached; null for no bound. */
  readonly maxBacklog: BacklogBudget | null;
  /** Of so many pending entries of a table, `ReadStatements.rows` gives every row (since 1.3; before, of `FEW_ENTRIES_BEFORE`). */
  readonly fewEntries?: number;
  /** Only where the config says something of it. */
  readonly copy?: PlanCopy;
  /** Only where something waits for approval. */
  readonly guard?: PlanGuard;
  readonly sequences?: PlanCarry;
  /** Sequence in the source: 1 = busy, 2 = armed, 3 = kicked (only where prepared transactions forbid NOTIFY). */
  readonly wake: string;
  readonly tables: readonly PlanTable[];
};

/** Every member is source and target of every other one, with the same tables under the same names, and the same statements. */
export type PlanMultiMaster = {
  readonly mode: 'multi-master';
  /** In the order of the config, which decides ties. The first one is copied to those that join. */
  readonly members: readonly string[];
  readonly existingRows: ExistingRows;
  /** What one member may hold back in each of the others before it is detached there; null for no bound. */
  readonly maxBacklog: BacklogBudget | null;
  /** Sequence in every member, as `PlanOneWay.wake`. */
  readonly wake: string;
  /** Beyond this difference of two members' clocks no conflict is decided by time. */
  readonly maxClockSkewMs: number;
  /** Older conflicts are taken out of the record. */
  readonly keepConflictsHours: number;
  /** How members that join are copied, where the config says it. */
  readonly copy?: PlanCopy;
  /** Only where it forms a ring with others. */
  readonly ring?: PlanRing;
  readonly tables: readonly PlanMasterTable[];
};

/** A table of a multi-master sync: as one of a one-way sync whose only route leads to every member, with what rounds between masters need. */
export type PlanMasterTable = PlanTable & {
  readonly rule: ConflictRule;
  /** Null: a unique value that is taken twice stops the table. */
  readonly unique: UniqueRule | null;
  /** Null: a row that a member does not take stops the table. */
  readonly exception: HandlerRule | null;
  /** Columns of which the record of conflicts holds a mask; only where there are any. */
  readonly mask?: readonly string[];
  readonly masters: MasterStatements;
};

/** Bytes on disk, entries in the delta tables, or both; null where not bounded. */
export type BacklogBudget = { readonly bytes: number | null; readonly rows: number | null };

export type PlanTable = {
  readonly source: QualifiedName;
  readonly target: QualifiedName;
  /** Key columns by their names on the source. */
  readonly key: readonly string[];
  /** Columns that flow, in the order of every statement. */
  readonly columns: readonly PlanColumn[];
  /** Row filter in the source, if any (documentation; the statements contain it). */
  readonly where: string | null;
  /** Sequence in the source: 1 while the delta table is empty and need not be counted. */
  readonly filled: string;
  /**
   * One row where the table has pending changes, else none: `ordinal` (index into `tables`), `entries` (bigint), `inserts` (all
   * pending entries are inserts), `truncated`, `oldest` (timestamptz). Reads the position from the settings `sarrio.xmax`,
   * `sarrio.xip`, `sarrio.extra`.
   */
  readonly countPending: string;
  /** Rows of the target stay when they are gone at the source: all of them, or those that went by TRUNCATE. Only where they do. */
  readonly keeps?: 'gone' | 'truncated';
  /** Statements for each group of targets whose tables are alike. */
  readonly routes: readonly PlanRoute[];
};
export type PlanRoute = {
  readonly targets: readonly string[];
  readonly copyFormat: 'binary' | 'text';
  readonly read: ReadStatements;
  readonly apply: ApplyStatements;
  readonly verify: VerifyStatements;
};

/** Run on the source, in the round's snapshot, with the position in the settings `sarrio.xmax`, `sarrio.xip` and `sarrio.extra`. */
export type ReadStatements = {
  /** Pending keys with their current rows: whether the row is present (t/f), then the columns in order, as the server's text. No row at all when they are too large for this path; of more than `FEW_ENTRIES` entries, some. */
  readonly rows: string;
  /** `COPY … TO STDOUT` of the same, without a limit. */
  readonly copyChanged: string;
  /** `COPY … TO STDOUT` of the rows of pending keys when all entries are inserts; null where the target's index would take a key twice (deferrable). */
  readonly copyInserted: string | null;
  /** `COPY … TO STDOUT` of all rows (initial copy, truncate). */
  readonly copyAll: string;
  /** Reads no row, but fails where the row filter or a computed column would; null without either. For `plan`. */
  readonly check: string | null;
  /** For a table, plain or partitioned, whose key the target itself keeps unique: such a table may be copied in ranges of blocks. */
  readonly ranges?: RangeReadStatements;
  /** Only in a sync with a guard. */
  readonly guard?: GuardReadStatements;
};

/** Run on the target, with `session_replication_role = replica`. */
export type ApplyStatements = {
  /**
   * $1: JSON array of objects `{"sarrio_present": "t" or "f", "<column>": text or null, …}`. Deletes, updates and inserts in one
   * statement; null where columns cannot be updated, then the two below are used.
   */
  readonly mergeRows: string | null;
  /** $1 as above. The two together are the unique-swap form of `mergeRows`. */
  readonly deleteRows: string;
  readonly insertRows: string;
  /** Creates the session's temporary stage table (once a session; emptied at commit). */
  readonly createStage: string;
  /** `COPY stage FROM STDIN`, takes the bytes of `copyChanged`. */
  readonly loadStage: string;
  readonly analyzeStage: string;
  /**
   * General path: `deleteAbsent` (null where rows that are gone at the source stay), `updatePresent` (null where columns cannot be updated,
   * then the unique-swap form is the only one), `insertMissing`.
   */
  readonly deleteAbsent: string | null;
  readonly updatePresent: string | null;
  readonly insertMissing: string;
  /** Unique-swap form: delete all staged keys, then insert the present rows. */
  readonly deleteStaged: string;
  readonly insertStaged: string;
  /** `COPY target FROM STDIN`, takes the bytes of `copyInserted` and `copyAll`. */
  readonly loadTable: string;
  /** Deletes all rows of the target table (truncate, existingRows: 'replace'). */
  readonly clearTable: string;
  /** One row, column `has_rows` (t/f). */
  readonly hasRows: string;
  /** Where the target table is captured for another sync: record what this sync writes, tagged with it. */
  readonly relay: RelayStatements | null;
  /** Beside `ranges`: inserts the staged rows in whose way no other row stands. */
  readonly insertFree?: string;
  /** Beside `ranges`, where the config says so. $1: sync, $2: source, $3: display name: `taken`, how many indexes of the target table were set aside. */
  readonly setIndexesAside?: string;
  /** Only in a sync with a guard. */
  readonly guard?: GuardApplyStatements;
};

export type RelayStatements = {
  /** $1 as in `mergeRows`. */
  readonly rows: string;
  readonly stage: string;
  /** After `clearTable` or `loadTable` of a whole table: one entry that refreshes it downstream. */
  readonly all: string;
  /** The target's own flag, as `PlanTable.filled` is the source's. */
  readonly filled: string;
  /** Wake sequences of the syncs that read this capture, with the syncs' names. */
  readonly wakes: readonly { readonly sync: string; readonly sequence: string }[];
};
