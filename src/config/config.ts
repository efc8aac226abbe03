import type { UniqueHandler } from '../conflict/handlers/clash.ts';
import type { ConflictHandler } from '../conflict/handlers/conflict.ts';
import type { AnyTables, ExceptionHandler } from '../conflict/handlers/failure.ts';
import type { RowValues } from '../conflict/handlers/answers.ts';
import type { HazardCode } from '../plan/hazards.ts';
import type { ExistingRows } from '../plan/plan-copy.ts';
import type { AsRow, ColumnOf, CounterOf } from './register.ts';
import type { CopySettings, Guard, SkippedOperation } from './one-way-settings.ts';

/** A connection string that stands in an environment variable; only its name is ever written down. */
export type EnvReference = { readonly env: string };

/** Login roles of a database besides the one that applies. `apply` grants each what its verbs need on the objects of ours. */
export type DatabaseRoles = {
  /** `run` and `copy` connect as this role. Rights on your own tables you grant yourself; `plan` checks them. */
  readonly runner?: string;
  /** What only asks connects as this role: `status`, `plan`, `diff`, `doctor`, `verify`. It sees the keys of captured rows and how much counters changed, and nothing else of them. */
  readonly reader?: string;
};

/** A participating database: `env('EAST_URL')`, or `{ ...env('EAST_URL'), roles: { runner: 'sarrio_runner' } }`. */
export type DatabaseConfig = EnvReference & { readonly roles?: DatabaseRoles };

/** One text for some of the columns. */
export type ByColumn<Column extends string> = string extends Column ? Readonly<Record<string, string>> : { readonly [Name in Column]?: string };

/** Picks what flows from a table. Names are the source's. */
export type ColumnChoice<Row = RowValues> = {
  /** Only these columns (the key must be among them). */
  readonly pick?: readonly ColumnOf<Row>[];
  /** All columns but these. */
  readonly omit?: readonly ColumnOf<Row>[];
  /** Source column -> other name on the target. */
  readonly rename?: ByColumn<ColumnOf<Row>>;
  /** Target column -> SQL expression over the source's columns. Functions outside pg_catalog must be written with their schema. */
  readonly compute?: Readonly<Record<string, string>>;
};

/**
 * In which sessions capture triggers fire, in PostgreSQL's terms (`ALTER TABLE … ENABLE ALWAYS TRIGGER`): `origin`, the default, leaves
 * out what sessions with `session_replication_role = replica` write; `always` captures that too (restores, native subscriptions, other
 * replication tools). What Sarrio itself applies is never captured by triggers.
 */
export type CaptureTriggers = 'origin' | 'always';

/** A table with settings of its own. */
export type TableConfig<Table extends string = string, Row = RowValues> = {
  /** `schema.table`, or a pattern such as `public.*` (then only `where`, `columns.omit` and `missingColumns` make sense). Names are case-exact; put a name with a dot or star in double quotes. */
  readonly table: Table;
  /** `schema.table` on every target, when it has another name there. */
  readonly rename?: string;
  readonly columns?: ColumnChoice<Row>;
  /** Only rows for which this SQL condition over the source's columns holds. A row that enters or leaves it is inserted or deleted. */
  readonly where?: string;
  /** Name of a unique index, or its columns, to use instead of the primary key. All columns must be NOT NULL. */
  readonly key?: string | readonly ColumnOf<Row>[];
  /** As for the sync, for this table. */
  readonly missingColumns?: 'refuse' | 'omit';
  /** As `captureTriggers` of the sync, for this table. */
  readonly captureTriggers?: CaptureTriggers;
  /** As `truncate` of the sync, for this table. */
  readonly truncate?: TruncateChoice;
  /** As `skip` of the sync, for this table. */
  readonly skip?: readonly SkippedOperation[];
};

/** One group of tables from one source to its targets. */
export type OneWaySync<Source extends string = string, Database extends string = string, Entry = string | TableConfig, Name extends string = string> = {
  readonly mode: 'one-way';
  readonly source: Source;
  readonly targets: readonly Database[];
  /** Names, patterns or objects; an exact name beats a pattern. */
  readonly tables: readonly Entry[];
  /** Names or patterns left out of what patterns in `tables` match. */
  readonly exclude?: readonly Name[];
  /**
   * When a target table holds rows before its initial copy: `refuse` (the default); `replace` them; `adopt` them: they are compared with the
   * source's, and only what differs is written (rows that the source has not are deleted); or `keep` them, because they are the same
   * rows already: then nothing is copied, all captured changes follow, and the stream is `unverified` until `sarrio verify` finds all equal.
   */
  readonly existingRows?: ExistingRows;
  /** A column of the source that no target has: refuse to compile (the default), or leave it out with a warning. One that only some targets have is refused. */
  readonly missingColumns?: 'refuse' | 'omit';
  /** How much one target may hold back in the source's delta tables before it is detached. No bound by default. */
  readonly maxBacklog?: Backlog;
  /**
   * Sequences of serial and identity columns: the runner brings those of the targets forward (`carry`), so that a target which takes over
   * gives no value again. They are ahead of the source's by a margin of 1,000 values unless you say how many. `ignore`: you see to it yourself.
   */
  readonly sequences?: 'carry' | 'ignore' | { readonly carry: { readonly margin: number } };
  /** Whether capture triggers also fire for sessions with `session_replication_role = replica`; `origin` (they do not) by default. */
  readonly captureTriggers?: CaptureTriggers;
  /** What a TRUNCATE at the source does: the target's table is refreshed (`replicate`, the default), its rows stay (`ignore`), or it fails (`refuse`). */
  readonly truncate?: TruncateChoice;
  /** Operations that do not go to the targets. `['delete']` makes them archives: what is deleted or truncated at the source stays there. */
  readonly skip?: readonly SkippedOperation[];
  /** How initial copies are made: how many jobs, in which ranges, how fast. */
  readonly copy?: CopySettings;
  /** Deletes of many rows and TRUNCATEs wait for `sarrio approve`. */
  readonly guard?: Guard;
};

/**
 * How conflicts are decided: what happens to a row that two or more members have changed since they last heard of each other.
 * - `'last-update-wins'`, `'first-update-wins'`: by the times of the changes, for each row; of equal times the member that stands first
 *   in `members` wins. The members' clocks must agree (`maxClockSkew`).
 * - a list of databases in order of preference: the first of them that takes part wins.
 * - `'skip'`: each member keeps its row; the conflict is recorded.
 * - `'stop'`: the table stops until somebody has decided, while the others of the sync go on.
 */
export type ConflictChoice<Database extends string = string> = 'last-update-wins' | 'first-update-wins' | 'skip' | 'stop' | readonly Database[];

/**
 * Makes one row of all versions. Capture records for it, beside the key, which columns an UPDATE changed and by how much.
 * - `{ columns: 'merge', otherwise: 'last-update-wins' }`: each column from the member that changed it. Where several have changed the
 *   same one, `otherwise` chooses among those, for that column.
 * - `{ counters: ['stock'], otherwise: 'last-update-wins' }`: in these columns the changes of all members add up, each exactly once;
 *   `otherwise` decides the rest of the row. With `columns: 'merge'` beside it, the rest is merged by columns.
 *
 * Where one of the rows was inserted or deleted, `otherwise` decides between the rows as they are.
 */
export type MergeRule<Row = RowValues, Database extends string = string> = {
  /** Columns of type smallint, integer, bigint or numeric; not of the key. */
  readonly counters?: readonly CounterOf<Row>[];
  readonly columns?: 'merge';
  readonly otherwise: ConflictChoice<Database>;
};

/** `onConflict` as a name, a list, a rule that merges, or a function: `(conflict) => take(conflict.latest.database)`. */
export type ConflictRuleConfig<Row extends object = RowValues, Database extends string = string> =
  | ConflictChoice<Database>
  | MergeRule<Row, Database>
  | ConflictHandler<Row, Database>;

/**
 * What happens when two members take the same value of a unique index for rows with different keys, neither knowing of the other.
 * - `'keep-earliest'`, `'keep-latest'`: the row that was changed first, or last, stays.
 * - a list of databases in order of preference: the row of the first of them stays.
 * - `'park'`: none of them stays.
 *
 * Rows that do not stay are taken out of the table at every member and kept in `sarrio.parked`, until `sarrio kick` can put them back.
 */
export type UniqueChoice<Database extends string = string> = 'keep-earliest' | 'keep-latest' | 'park' | readonly Database[];

/**
 * `onUnique` as a name, a list, or a function that is asked about two rows at a time:
 * `({ later }) => merge({ email: `${later.row['email']}.${later.database}` })` lets both stay, the later one changed at every member.
 */
export type UniqueRuleConfig<Row extends object = RowValues, Database extends string = string> = UniqueChoice<Database> | UniqueHandler<Row, Database>;

/** What a TRUNCATE does: the same rows go at the others (the default), nothing there, or it fails. */
export type TruncateChoice = 'replicate' | 'ignore' | 'refuse';

/** A table of a multi-master sync with settings of its own. It has the same name, columns and key at every member. */
export type MasterTableConfig<Table extends string = string, Row = RowValues, Database extends string = string, Tables extends object = AnyTables> = {
  readonly table: Table;
  /** Name of a unique index, or its columns, to use instead of the primary key. All columns must be NOT NULL. */
  readonly key?: string | readonly ColumnOf<Row>[];
  /** As `captureTriggers` of the sync, for this table. */
  readonly captureTriggers?: CaptureTriggers;
  /** As `onConflict` of the sync, for this table. */
  readonly onConflict?: ConflictRuleConfig<AsRow<Row>, Database>;
  /** As `onUnique` of the sync, for this table. */
  readonly onUnique?: UniqueRuleConfig<AsRow<Row>, Database>;
  /** As `onException` of the sync, for this table. */
  readonly onException?: ExceptionHandler<AsRow<Row>, Database, Tables>;
  /** As `truncate` of the sync, for this table. */
  readonly truncate?: TruncateChoice;
  /** Columns of which the record of conflicts shows a mask instead of the values. Rules and handlers see the values. */
  readonly mask?: readonly ColumnOf<Row>[];
};

/** One group of tables that several databases write to, each change going from every member to every other. */
export type MultiMasterSync<
  Members extends readonly string[] = readonly string[],
  Database extends string = string,
  Entry = string | MasterTableConfig,
  Name extends string = string,
> = {
  readonly mode: 'multi-master';
  /** Two or more databases. Their order decides ties; the rows of the first are copied to those that join. */
  readonly members: Members;
  /** Names, patterns or objects; an exact name beats a pattern. */
  readonly tables: readonly Entry[];
  /** Names or patterns left out of what patterns in `tables` match. */
  readonly exclude?: readonly Name[];
  /** Every table needs a rule, from here or its own. */
  readonly onConflict?: ConflictRuleConfig<RowValues, Database>;
  /** For unique indexes beside the key. Without it a table in which one value was taken twice stops until one of the rows is changed. */
  readonly onUnique?: UniqueRuleConfig<RowValues, Database>;
  /** Asked about a row that a member does not take (a CHECK that only it has, a unique value without `onUnique`, an exclusion). Without it the table stops. */
  readonly onException?: ExceptionHandler<RowValues, Database>;
  /**
   * When a table of a member other than the first holds rows before its initial copy: `refuse` (the default); `replace` them by the first
   * one's; `adopt` them: they are compared with the first one's, and only what differs is written; or `keep` them, because they are the
   * same rows already (nothing compares them).
   */
  readonly existingRows?: ExistingRows;
  /** How members that join are copied from the first one: how many jobs, in which ranges, how fast. */
  readonly copy?: Omit<CopySettings, 'rebuildIndexes'>;
  readonly truncate?: TruncateChoice;
  /**
   * Sequences of serial and identity columns: you see to it that they never meet (`ignore`), or `apply` lets each member count in steps from
   * a start of its own (`interleave`). The steps are slots, one for each member that there may ever be: 8 of them unless you say how many
   * (with more than 8 members the next power of two), so that a member can be added without touching the others.
   */
  readonly sequences?: 'interleave' | 'ignore' | { readonly interleave: { readonly slots: number } };
  /** Beyond this difference of two members' clocks no conflict is decided by time; `'500 ms'` by default (ms, s or min). */
  readonly maxClockSkew?: string;
  /** How much one member that is away may hold back in each of the others before it is detached. No bound by default. */
  readonly maxBacklog?: Backlog;
  /** How long decided conflicts stay in the record, such as `'30 days'` or `'12 hours'`; `'90 days'` by default. */
  readonly keepConflicts?: string;
  readonly captureTriggers?: CaptureTriggers;
};

/**
 * How a full copy replaces the rows of a target.
 * - `'delete'` (the default): deletes and inserts in one transaction; readers see the old rows until it commits.
 * - `'truncate'`: the fastest; nobody can read the tables from the TRUNCATE to the commit.
 * - `'swap'`: loads new tables beside the old ones, builds indexes, constraints, grants and all else there, and takes their names in the
 *   end: readers wait for a moment and never see the tables empty. Refused where something depends on a table (views, foreign keys …).
 * - `'changed-only'`: compares hashes of key ranges and brings only what differs. Needs a key.
 */
export type FullCopyMethod = 'delete' | 'truncate' | 'swap' | 'changed-only';

/** A table of a full copy with settings of its own; it may be a view. A key is needed for `changed-only` only. */
export type FullCopyTableConfig<Table extends string = string, Row = RowValues> = {
  readonly table: Table;
  /** `schema.table` on every target, when it has another name there. */
  readonly rename?: string;
  readonly columns?: ColumnChoice<Row>;
  /** Only rows for which this SQL condition over the source's columns holds. */
  readonly where?: string;
  /** Name of a unique index, or its columns, to compare by instead of the primary key. */
  readonly key?: string | readonly ColumnOf<Row>[];
  /** As for the sync, for this table. */
  readonly missingColumns?: 'refuse' | 'omit';
};

/** One group of tables of which a target gets all rows anew, now and then. Nothing is captured for it. */
export type FullCopySync<
  Source extends string = string,
  Database extends string = string,
  Entry = string | FullCopyTableConfig,
  Name extends string = string,
> = {
  readonly mode: 'full-copy';
  readonly source: Source;
  readonly targets: readonly Database[];
  /** Names, patterns or objects; an exact name beats a pattern. Patterns take tables only: name a view to copy it. */
  readonly tables: readonly Entry[];
  readonly exclude?: readonly Name[];
  readonly missingColumns?: 'refuse' | 'omit';
  readonly method?: FullCopyMethod;
  /**
   * Time from the start of one copy to the next (`'30s'`, `'15m'`, `'6h'`, `'1d'`), or a cron expression of five fields (`'30 2 * * 1-5'`).
   * Without it the first copy is made once, and every further one with `sarrio kick`.
   */
  readonly every?: string;
  /** In which a cron expression is meant, such as `'Europe/Berlin'`; `'UTC'` by default. */
  readonly timeZone?: string;
  /** How long the copy waits for a lock, and others behind it, before it steps back and tries again; `'1s'` by default (ms or s). */
  readonly lockTimeout?: string;
};

export type SyncConfig = OneWaySync | MultiMasterSync | FullCopySync;

/**
 * A budget for changes that wait in the source: a size on disk such as `'20 GB'` (kB, MB, GB or TB, of 1024), a number of entries, or
 * both. From 80 % on the runner warns; beyond it, a target that does not come after is detached and has to be copied anew.
 */
export type Backlog = string | { readonly size?: string; readonly rows?: number };

/**
 * Approves one hazard that `plan` names, so that `apply` goes through with it: `{ hazard: 'drop-changes', object: 'sarrio.delta_public_orders',
 * reason: 'the target was switched off', expires: '2026-12-31' }`.
 */
export type ApprovalConfig = {
  readonly hazard: HazardCode;
  /** As `plan` names it behind the colon. */
  readonly object: string;
  /** Why it may be; for whoever reads the config later. */
  readonly reason: string;
  /** The last day on which it counts (UTC), such as `'2026-12-31'`. */
  readonly expires: string;
  /** It does not cover more rows than this (`lock-table`). */
  readonly upToRows?: number;
};

/** What `replication.config.ts` exports by default. */
export type ReplicationConfig = {
  /** Owner of the installed objects, `sarrio` unless several projects share a database. */
  readonly project?: string;
  readonly databases: Readonly<Record<string, DatabaseConfig>>;
  readonly syncs: Readonly<Record<string, SyncConfig>>;
  /** Hazards that `apply` may go through with. */
  readonly approve?: readonly ApprovalConfig[];
};
