import type { QualifiedName } from '../../sql/quote.ts';
import type { BacklogBudget, DatabaseRoles } from '../../plan/plan.ts';
import type { ColumnSchema, KeySchema, TableSchema } from '../../plan/schema-lock.ts';

/** The config with every name resolved against the schema lock and every default filled in. What phase 4 emits from. */
export type Model = {
  readonly project: string;
  /** Ordered by name (code units). */
  readonly databases: readonly ModelDatabase[];
  /** Ordered by name (code units). */
  readonly syncs: readonly ModelSync[];
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

export type ModelSync = {
  readonly name: string;
  readonly mode: 'one-way';
  readonly source: string;
  readonly targets: readonly string[];
  readonly existingRows: 'refuse' | 'replace';
  readonly maxBacklog: BacklogBudget | null;
  /** Ordered by schema and name of the source (code units). */
  readonly tables: readonly ModelTable[];
};

export type ModelTable = {
  readonly source: TableSchema;
  readonly key: KeySchema;
  /** SQL condition over the source's columns, as the user wrote it. */
  readonly where: string | null;
  readonly columns: readonly ModelColumn[];
  readonly targetName: QualifiedName;
  /** Target table as the lock has it, by database name; one entry for each target of the sync. */
  readonly targets: Readonly<Record<string, TableSchema>>;
  /** All partitions below a partitioned source, at every depth, ordered; empty otherwise. */
  readonly partitions: readonly QualifiedName[];
  /** Statement triggers, or row triggers for tables of an inheritance hierarchy. */
  readonly capture: 'statement' | 'row';
  /** Sessions in which the triggers fire: all but those of replication, or all but our own applying ones. */
  readonly captureTriggers: 'origin' | 'always';
};

export type ModelColumn = {
  /** Name on the target. */
  readonly target: string;
  readonly from: { readonly kind: 'column'; readonly column: ColumnSchema } | { readonly kind: 'computed'; readonly expression: string };
};
