import type { Bigint, Numeric, RowValues } from '../conflict/handlers/answers.ts';

/**
 * What the databases hold, as far as types know. `generated/schema.d.ts` declares it further, so that the editor and `tsc` know tables and
 * columns; without that file every name is a `string`, and nothing is red before the first `sarrio pull`.
 */
// biome-ignore lint/suspicious/noEmptyInterface: declared further by a generated file, which only an interface allows.
export interface Register {}

/** A database of which nothing is known. */
type AnyTables = { readonly [table: string]: RowValues };

/** Names of the databases that were pulled; any text before. */
export type DatabaseName = Register extends { readonly databases: infer Databases } ? keyof Databases & string : string;

/** The tables of a database by name; anything for one that was not pulled yet. */
export type TablesOf<Database extends string> = Register extends { readonly databases: infer Databases }
  ? Database extends keyof Databases
    ? Databases[Database]
    : AnyTables
  : AnyTables;

/** Tables that several databases have; anything as long as one of them was not pulled yet. */
export type CommonTables<Database extends string> = [Database] extends [DatabaseName] ? TablesOf<Database> : AnyTables;

/** Tables of a database by the names that configs call them by: `'public.orders'`. */
export type TableName<Database extends string = DatabaseName> = keyof TablesOf<Database> & string;

/** A row as handlers see it: `Row<'east', 'public.orders'>`. */
export type Row<Database extends DatabaseName, Table extends TableName<Database>> = AsRow<TablesOf<Database>[Table]>;

export type AsRow<Row> = Row extends object ? Row : RowValues;

export type ColumnOf<Row> = keyof Row & string;

/** Columns whose values can add up. Which of the numbers are counted in whole digits, `sarrio compile` checks. */
export type CounterOf<Row> = string extends keyof Row
  ? string
  : { [Column in keyof Row]: NonNullable<Row[Column]> extends number | Bigint | Numeric ? Column : never }[keyof Row] & string;
