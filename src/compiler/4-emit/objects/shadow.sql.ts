import { byCodeUnit } from '../../../plan/canonical.ts';
import type { ColumnSchema, DatabaseSchema, KeySchema, TableSchema, TypeSchema } from '../../../plan/schema-lock.ts';
import { displayName, ident, literal, type QualifiedName, tableIdent } from '../../../sql/quote.ts';
import { dangerousRaw, join, type Sql, sql } from '../../../sql/sql.ts';

/**
 * Purpose: tables as the schema lock has them, in an empty database of their own, so that generated SQL can be tried on them: columns,
 * keys, partitions, types and sequences; no rows, constraints, defaults or triggers. What the lock does not know is made up (partitions are
 * by hash). A statement whose types or parents do not stand yet is to be tried again after the others.
 * Reads: nothing. Writes: an empty database. Called by: proveOnShadow.
 */
export function shadowSchema(schema: DatabaseSchema): readonly Sql[] {
  const { tables, enums, types } = schema;
  const extensions = new Map(types.flatMap((type) => (type.kind === 'base' && type.extension !== null ? [[type.extension, type.schema] as const] : [])));
  const names = new Set([...tables, ...enums, ...types, ...sequencesOf(tables)].map((each) => each.schema));
  return [
    ...[...names]
      .sort(byCodeUnit)
      .filter((name) => name !== 'public')
      .map((name) => sql`create schema if not exists ${ident(name)};`),
    ...[...extensions].map(([extension, home]) => sql`create extension if not exists ${ident(extension)} schema ${ident(home)};`),
    ...enums.map((each) => sql`create type ${tableIdent(each)} as enum (${join(each.labels.map(literal), ', ')});`),
    ...types.flatMap(typeDefinition),
    ...sequencesOf(tables).map((sequence) => sql`create sequence if not exists ${tableIdent(sequence)} as ${dangerousRaw(sequence.type)};`),
    ...(tables.some(({ kind }) => kind === 'foreign') ? [NOWHERE] : []),
    ...tables.map((table) => tableDefinition(table, tables)),
  ];
}

/** Types of users' that no statement can make: of no extension, written in C. */
export function unmadeTypes({ types }: DatabaseSchema): readonly string[] {
  return types.filter((type) => type.kind === 'base' && type.extension === null).map(displayName);
}

/** Purpose: the database for one trial; a text of any encoding fits into locale C. Reads: nothing. Writes: the server. Called by: proveOnShadow. */
export function createShadow(name: string, encoding: string): Sql {
  return sql`create database ${ident(name)} template template0 encoding ${literal(encoding)} lc_collate 'C' lc_ctype 'C'`;
}

/** Purpose: takes the database of a trial away. Reads: nothing. Writes: the server. Called by: proveOnShadow. */
export function dropShadow(name: string): Sql {
  return sql`drop database if exists ${ident(name)} with (force)`;
}

/** Purpose: a role that grants name. Fails where there is one. Reads: nothing. Writes: the server. Called by: proveOnShadow. */
export function createShadowRole(name: string): Sql {
  return sql`create role ${ident(name)} nologin`;
}

/** Purpose: takes such a role away. Reads: nothing. Writes: the server. Called by: proveOnShadow. */
export function dropShadowRole(name: string): Sql {
  return sql`drop role ${ident(name)}`;
}

const NOWHERE = sql`create foreign data wrapper sarrio_nowhere; create server sarrio_nowhere foreign data wrapper sarrio_nowhere;`;

function sequencesOf(tables: readonly TableSchema[]): readonly (QualifiedName & { readonly type: string })[] {
  return tables.flatMap(({ columns }) => columns.flatMap(({ identity, sequences = [] }) => (identity === 'none' ? sequences : [])));
}

function typeDefinition(type: TypeSchema): readonly Sql[] {
  const name = tableIdent(type);
  switch (type.kind) {
    case 'domain':
      return [sql`create domain ${name} as ${dangerousRaw(type.base)};`];
    case 'composite':
      return [
        sql`create type ${name} as (${join(
          type.attributes.map((each) => sql`${ident(each.name)} ${dangerousRaw(each.type)}`),
          ', ',
        )});`,
      ];
    case 'range':
      return [sql`create type ${name} as range (subtype = ${dangerousRaw(type.subtype)});`];
    case 'multirange':
    case 'base':
      return [];
    default:
      return type satisfies never;
  }
}

function tableDefinition(table: TableSchema, all: readonly TableSchema[]): Sql {
  const name = tableIdent(table);
  const columns = table.columns.map(columnDefinition);
  const nothing = join(
    table.columns.map((column) => sql`null::${dangerousRaw(column.type)} as ${ident(column.name)}`),
    ', ',
  );
  switch (table.kind) {
    case 'view':
      return sql`create view ${name} as select ${nothing};`;
    case 'materialized-view':
      return sql`create materialized view ${name} as select ${nothing};`;
    case 'foreign':
      return sql`create foreign table ${name} (${join(columns, ', ')}) server sarrio_nowhere;`;
    case 'table':
    case 'partitioned':
      return table.partitionOf === null ? ownTable(table, columns) : partition(table, table.partitionOf, all);
    default:
      return table.kind satisfies never;
  }
}

function ownTable(table: TableSchema, columns: readonly Sql[]): Sql {
  const parents = table.inherits.length === 0 ? sql`` : sql` inherits (${join(table.inherits.map(tableIdent), ', ')})`;
  const keys = table.keys.map((key) => keyDefinition(table, key));
  const kind = table.persistence === 'unlogged' ? sql`unlogged table` : sql`table`;
  return sql`create ${kind} ${tableIdent(table)} (${join(columns, ', ')})${parents}${partitionBy(table)}; ${join(keys, ' ')}`;
}

/** By hash: the lock does not know the bounds, and every type that can be a key has one. */
function partition(table: TableSchema, parent: QualifiedName, all: readonly TableSchema[]): Sql {
  const siblings = all.filter(({ partitionOf }) => partitionOf !== null && displayName(partitionOf) === displayName(parent));
  const bounds = dangerousRaw(`modulus ${siblings.length}, remainder ${siblings.indexOf(table)}`);
  return sql`create table ${tableIdent(table)} partition of ${tableIdent(parent)} for values with (${bounds})${partitionBy(table)};`;
}

/** Every unique index of a partitioned table holds the columns that it is partitioned by. */
function partitionBy({ kind, keys, columns }: TableSchema): Sql {
  if (kind !== 'partitioned') return sql``;
  const [first, ...others] = keys;
  const common = first?.columns.find(({ name }) => others.every((key) => key.columns.some((column) => column.name === name)));
  const column = common?.name ?? columns[0]?.name;
  return column === undefined ? sql`` : sql` partition by hash (${ident(column)})`;
}

function columnDefinition({ name, type, notNull, collation, identity, sequences = [] }: ColumnSchema): Sql {
  const [sequence] = sequences;
  const collate = collation?.startsWith('pg_catalog.') ? dangerousRaw(` collate ${collation}`) : sql``;
  const counted =
    sequence === undefined
      ? sql``
      : identity === 'none'
        ? sql` default nextval(${literal(displayName(sequence))}::pg_catalog.regclass)`
        : sql` generated ${dangerousRaw(identity === 'always' ? 'always' : 'by default')} as identity (sequence name ${tableIdent(sequence)})`;
  return sql`${ident(name)} ${dangerousRaw(type)}${collate}${notNull ? sql` not null` : sql``}${counted}`;
}

function keyDefinition(table: TableSchema, { name, columns, primary, deferrable }: KeySchema): Sql {
  const list = join(
    columns.map((column) => ident(column.name)),
    ', ',
  );
  if (!primary && !deferrable) return sql`create unique index ${ident(name)} on ${tableIdent(table)} (${list});`;
  const kind = primary ? sql`primary key` : sql`unique`;
  return sql`alter table ${tableIdent(table)} add constraint ${ident(name)} ${kind} (${list})${deferrable ? sql` deferrable` : sql``};`;
}
