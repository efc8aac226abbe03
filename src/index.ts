import type { ReplicationConfig } from './config/config.ts';
import type { EnvReference } from './config/environments.ts';
import type { DatabaseName } from './config/register.ts';
import type { TypedConfig } from './config/typed.ts';
import type * as answers from './conflict/handlers/answers.ts';
import type { RowValues } from './conflict/handlers/answers.ts';
import type * as clash from './conflict/handlers/clash.ts';
import type * as conflict from './conflict/handlers/conflict.ts';
import type * as failure from './conflict/handlers/failure.ts';
import type { AnyTables } from './conflict/handlers/failure.ts';

export type {
  ApprovalConfig,
  CaptureTriggers,
  ColumnChoice,
  ConflictChoice,
  ConflictRuleConfig,
  DatabaseConfig,
  DatabaseRoles,
  FullCopyMethod,
  FullCopySync,
  FullCopyTableConfig,
  MasterTableConfig,
  MergeRule,
  MultiMasterSync,
  OneWaySync,
  ReplicationConfig,
  SyncConfig,
  TableConfig,
  TruncateChoice,
  UniqueChoice,
  UniqueRuleConfig,
} from './config/config.ts';
export type { EnvironmentConfig, EnvironmentNumbers, EnvReference } from './config/environments.ts';
export type { Backlog, CopySettings, Guard, SkippedOperation } from './config/one-way-settings.ts';
export type { DatabaseName, Register, Row, TableName } from './config/register.ts';
export type { CopyTables, MasterTables, OneWayTables } from './config/typed.ts';
export {
  type Bigint,
  type ColumnValue,
  type MergeAnswer,
  merge,
  type Numeric,
  type RemoveAnswer,
  type RowValues,
  remove,
  type SkipAnswer,
  skip,
  take,
} from './conflict/handlers/answers.ts';
export type { Operation } from './conflict/handlers/conflict.ts';
export type { RowChange, TableChanges } from './conflict/handlers/row-change.ts';
export {
  type AnyTables,
  type FailureError,
  keep,
  type ParkAnswer,
  park,
  type RetryAnswer,
  retry,
  type StopAnswer,
  stop,
} from './conflict/handlers/failure.ts';

// With the names of the databases that were pulled.
export type Conflict<Row extends object = RowValues, Database extends string = DatabaseName> = conflict.Conflict<Row, Database>;
export type ConflictVersion<Row extends object = RowValues, Database extends string = DatabaseName> = conflict.ConflictVersion<Row, Database>;
export type ConflictHandler<Row extends object = RowValues, Database extends string = DatabaseName> = conflict.ConflictHandler<Row, Database>;
export type ConflictAnswer<Row extends object = RowValues, Database extends string = DatabaseName> = answers.ConflictAnswer<Row, Database>;
export type UniqueClash<Row extends object = RowValues, Database extends string = DatabaseName> = clash.UniqueClash<Row, Database>;
export type UniqueRow<Row extends object = RowValues, Database extends string = DatabaseName> = clash.UniqueRow<Row, Database>;
export type UniqueHandler<Row extends object = RowValues, Database extends string = DatabaseName> = clash.UniqueHandler<Row, Database>;
export type UniqueAnswer<Row extends object = RowValues, Database extends string = DatabaseName> = clash.UniqueAnswer<Row, Database>;
export type TakeAnswer<Database extends string = DatabaseName> = answers.TakeAnswer<Database>;
export type KeepAnswer<Database extends string = DatabaseName> = failure.KeepAnswer<Database>;
export type Failure<Row extends object = RowValues, Database extends string = DatabaseName, Tables extends object = AnyTables> = failure.Failure<
  Row,
  Database,
  Tables
>;
export type FailureVersion<Row extends object = RowValues, Database extends string = DatabaseName> = failure.FailureVersion<Row, Database>;
export type RowInTheWay<Row extends object = RowValues, Database extends string = DatabaseName> = failure.RowInTheWay<Row, Database>;
export type ExceptionHandler<
  Row extends object = RowValues,
  Database extends string = DatabaseName,
  Tables extends object = AnyTables,
> = failure.ExceptionHandler<Row, Database, Tables>;
export type ExceptionAnswer<Database extends string = DatabaseName> = failure.ExceptionAnswer<Database>;

/**
 * Declares a replication; returns its argument. Reading it needs no database and no secret. Names are held against the databases of the
 * config and, once `sarrio pull` has written `generated/schema.d.ts`, against their tables and columns.
 */
export function defineReplication<const Database extends string, const Members extends { readonly [sync: string]: unknown }>(
  config: TypedConfig<Database, Members>,
): ReplicationConfig {
  return config as unknown as ReplicationConfig;
}

/** The connection string in the environment variable `name`, looked up only when connecting. */
export function env(name: string): EnvReference {
  return { env: name };
}
