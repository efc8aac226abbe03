import type { ColumnValue, RowValues } from '../conflict/handlers/answers.ts';
import type {
  ApprovalConfig,
  DatabaseConfig,
  FullCopySync,
  FullCopyTableConfig,
  MasterTableConfig,
  MultiMasterSync,
  OneWaySync,
  TableConfig,
} from './config.ts';
import type { EnvironmentConfig } from './environments.ts';
import type { ColumnOf, CommonTables, DatabaseName, TablesOf } from './register.ts';

/** All tables of a schema whose names fit: `public.*`, `public.order_*`. */
type Pattern = `${string}*${string}`;

type Table<Tables> = keyof Tables & string;
type Name<Tables> = Table<Tables> | Pattern;
/** The columns of all tables together: which of them a pattern takes only the compiler knows. */
type AnyRow<Tables> = { readonly [Column in { [Each in Table<Tables>]: ColumnOf<Tables[Each]> }[Table<Tables>]]: ColumnValue };

// One alternative for each table, told apart by `table`: the editor completes columns of that one, and handlers see its rows. What is made of
// a row is made in the properties, which TypeScript looks at only for the tables that a config names.
type OneWayEntry<Tables> = Name<Tables> | { [Each in Table<Tables>]: TableConfig<Each, Tables[Each]> }[Table<Tables>] | TableConfig<Pattern, AnyRow<Tables>>;

type CopyEntry<Tables> =
  | Name<Tables>
  | { [Each in Table<Tables>]: FullCopyTableConfig<Each, Tables[Each]> }[Table<Tables>]
  | FullCopyTableConfig<Pattern, AnyRow<Tables>>;

type MasterEntry<Tables> =
  | Name<Tables>
  | { [Each in Table<Tables>]: MasterTableConfig<Each, Tables[Each], DatabaseName, Tables & object> }[Table<Tables>]
  | MasterTableConfig<Pattern, RowValues, DatabaseName>;

/** `tables` of a one-way sync, for lists that stand in a module of their own: `export const tables: OneWayTables<'east'> = [ … ]`. */
export type OneWayTables<Source extends string> = readonly OneWayEntry<TablesOf<Source>>[];

/** `tables` of a full copy. */
export type CopyTables<Source extends string> = readonly CopyEntry<TablesOf<Source>>[];

/** `tables` of a multi-master sync: `MasterTables<'east' | 'west'>`, those that all members have. */
export type MasterTables<Member extends string> = readonly MasterEntry<CommonTables<Member>>[];

/** One alternative for each database that may be the source. */
type OneSource<Source extends string, Database extends string> = Source extends string
  ?
      | OneWaySync<Source, Database, OneWayEntry<TablesOf<Source>>, Name<TablesOf<Source>>>
      | FullCopySync<Source, Database, CopyEntry<TablesOf<Source>>, Name<TablesOf<Source>>>
  : never;

/** `Members` is the list as it was inferred; of a sync of another kind nothing was. */
type Masters<Members, Database extends string> = MultiMasterSync<
  Members & readonly Database[],
  DatabaseName,
  MasterEntry<CommonTables<MemberOf<Members>>>,
  Name<CommonTables<MemberOf<Members>>>
>;

type MemberOf<Members> = Members extends readonly (infer Member extends string)[] ? Member : string;

/** A config whose names are held against the databases in it and the tables that were pulled of them. */
export type TypedConfig<Database extends string, Members extends { readonly [sync: string]: unknown }> = {
  readonly project?: string;
  readonly databases: { readonly [Each in Database]: DatabaseConfig };
  readonly syncs: { readonly [Sync in keyof Members]: OneSource<NoInfer<Database>, NoInfer<Database>> | Masters<Members[Sync], NoInfer<Database>> };
  readonly approve?: readonly ApprovalConfig[];
  readonly environments?: { readonly [environment: string]: EnvironmentConfig<NoInfer<Database>, NoInfer<keyof Members & string>> };
};
