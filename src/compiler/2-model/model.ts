import type { QualifiedName } from '../../sql/quote.ts';
import type { Approval } from '../../plan/hazards.ts';
import type { ConflictRule, HandlerRule, Recorded } from '../../plan/conflict-rule.ts';
import type { BacklogBudget, DatabaseRoles } from '../../plan/plan.ts';
import type { ExistingRows, PlanCopy } from '../../plan/plan-copy.ts';
import type { PlanGuard } from '../../plan/plan-guard.ts';
import type { CopyMethod } from '../../plan/plan-full-copy.ts';
import type { Schedule } from '../../plan/schedule.ts';
import type { ColumnSchema, KeySchema, TableSchema } from '../../plan/schema-lock.ts';
import type { UniqueRule } from '../../plan/unique-rule.ts';

/** The config with every name resolved against the schema lock and every default filled in. What phase 4 emits from. */
export type Model = {
  readonly project: string;
  /** Ordered by name (code units). */
  readonly databases: readonly ModelDatabase[];
  /** Ordered by name (code units). */
  readonly syncs: readonly ModelSync[];
  readonly approvals: readonly Approval[];
};

export type ModelDatabase = {
  readonly name: string;
  /** Environment variable that holds the connection string. */
  readonly urlVariable: string;
  readonly serverMajor: number;
  readonly roles: DatabaseRoles | null;
  /** `server_encoding`; empty where the lock does not know the database. */
  readonly encoding: string;
};

export type ModelSync = ModelOneWay | ModelMultiMaster | ModelFullCopy;

/** What goes from one database of a sync to the others. */
export type ModelFlow = {
  readonly source: string;
  readonly targets: readonly string[];
  /** Ordered by schema and name of the source (code units). */
  readonly tables: readonly ModelTable[];
};

export type ModelOneWay = ModelFlow & {
  readonly name: string;
  readonly mode: 'one-way';
  readonly existingRows: ExistingRows;
  readonly maxBacklog: BacklogBudget | null;
  /** How initial copies are made; null when the config says nothing. */
  readonly copy: PlanCopy | null;
  /** What waits for somebody's approval; null when nothing does. */
  readonly guard: PlanGuard | null;
  /** By how many values the targets' sequences are kept ahead of the source's; null when the config says nothing. */
  readonly sequences: { readonly margin: number } | 'ignore' | null;
};

/** Its tables need no capture. Only `changed-only` has keys; with the other methods `key.columns` is empty. */
export type ModelFullCopy = ModelFlow & {
  readonly name: string;
  readonly mode: 'full-copy';
  readonly method: CopyMethod;
  readonly schedule: Schedule | null;
  readonly lockTimeoutMs: number;
};

export type ModelMultiMaster = {
  readonly name: string;
  readonly mode: 'multi-master';
  readonly members: readonly string[];
  readonly existingRows: ExistingRows;
  readonly maxBacklog: BacklogBudget | null;
  readonly maxClockSkewMs: number;
  readonly keepConflictsHours: number;
  /** How members that join are copied; null when the config says nothing. */
  readonly copy: PlanCopy | null;
  /** In how many slots values are given out; null when the config says nothing. */
  readonly sequences: { readonly slots: number } | 'ignore' | null;
  /** Ordered by schema and name (code units). */
  readonly tables: readonly ModelMasterTable[];
};

/** A table of a multi-master sync, with all members that have it side by side. */
export type ModelMasterTable = {
  /** As the first member that the lock knows has it; the others are compared with it, and each other. */
  readonly reference: ModelTable;
  /** The same as a source, by member; it lacks members that do not have the table, its columns and its key. */
  readonly sources: Readonly<Record<string, ModelTable>>;
  /** By member, as the lock has it, whatever it looks like there. */
  readonly schemas: Readonly<Record<string, TableSchema>>;
  /** Null where the config gives none: a rule of phase 3 refuses that. */
  readonly rule: ConflictRule | null;
  /** Which of several rows with one unique value stays; null: the table stops. */
  readonly unique: UniqueRule | null;
  /** Says what becomes of rows that a member does not take; null: the table stops. */
  readonly exception: HandlerRule | null;
  /** Columns whose values do not go into the record of conflicts. */
  readonly mask: readonly string[];
};

/** Every flow of a sync, captured or copied. */
export function allFlows(sync: ModelSync): readonly ModelFlow[] {
  return sync.mode === 'full-copy' ? [sync] : modelFlows(sync);
}

/** Every flow of captured changes of a sync: one of a one-way sync, one for each member of a multi-master sync, none of a full copy. */
export function modelFlows(sync: ModelSync): readonly ModelFlow[] {
  if (sync.mode === 'full-copy') return [];
  if (sync.mode === 'one-way') return [sync];
  return sync.members.map((source) => {
    const tables = sync.tables.flatMap(({ sources }) => sources[source] ?? []);
    return { source, targets: sync.members.filter((member) => member !== source), tables };
  });
}

export type ModelTable = {
  readonly source: TableSchema;
  readonly key: KeySchema;
  /** SQL condition over the source's columns, as the user wrote it. */
  readonly where: string | null;
  readonly columns: readonly ModelColumn[];
  /** A column that the source gets later is meant to flow: the config neither picks columns nor lets missing ones be. */
  readonly takesNew: boolean;
  readonly targetName: QualifiedName;
  /** Target table as the lock has it, by database name; one entry for each target of the sync. */
  readonly targets: Readonly<Record<string, TableSchema>>;
  /** All partitions below a partitioned source, at every depth, ordered; empty otherwise. */
  readonly partitions: readonly QualifiedName[];
  /** Statement triggers, or row triggers for tables of an inheritance hierarchy. */
  readonly capture: 'statement' | 'row';
  /** Sessions in which the triggers fire: all but those of replication, or all but our own applying ones. */
  readonly captureTriggers: 'origin' | 'always';
  /** What a TRUNCATE does here, where the table is read by a multi-master sync or is not to be truncated; else null. */
  readonly truncate: 'replicate' | 'ignore' | 'refuse' | null;
  /** Whether an entry of a TRUNCATE refreshes the table at the targets. Masters do not take it, nor does a table that keeps rows. */
  readonly takesTruncate: boolean;
  /** What becomes of a target's row whose row at the source is gone. */
  readonly gone: 'deleted' | 'kept-when-truncated' | 'kept';
  /** What is recorded of an UPDATE beside the key, where a rule for conflicts asks for it. */
  readonly recorded: Recorded | null;
  /** Whether the row is kept that an UPDATE or DELETE replaces, where a handler asks for the last common row. */
  readonly before: boolean;
};

export type ModelColumn = {
  /** Name on the target. */
  readonly target: string;
  readonly from: { readonly kind: 'column'; readonly column: ColumnSchema } | { readonly kind: 'computed'; readonly expression: string };
};
