import { displayName, type QualifiedName } from '../../sql/quote.ts';
import type { TableSize } from './live-database.ts';
import { askAgain, type Question } from '../postgres/question.ts';
import type { Session } from '../postgres/session.ts';
import { FILLED, roleFacts, TABLE_FACTS } from './tables.sql.ts';
import type { Row } from '../postgres/statement.ts';

export type Privilege = 'SELECT' | 'INSERT' | 'UPDATE' | 'DELETE' | 'TRUNCATE' | 'TRIGGER';

/** `hasDefault`: it is filled without being written, by a default, as an identity or as a generated column. */
export type ColumnFacts = { readonly type: string; readonly notNull: boolean; readonly hasDefault: boolean; readonly isGenerated: boolean };

/** A user's table as it stands now. */
export type TableFacts = {
  readonly table: QualifiedName;
  /** `pg_class.relkind`. */
  readonly kind: string;
  readonly columns: ReadonlyMap<string, ColumnFacts>;
  /** Columns of each usable unique index, sorted. */
  readonly uniqueKeys: readonly (readonly string[])[];
  /** All partitions below, at every depth. */
  readonly partitions: readonly QualifiedName[];
  /** Of the table and its partitions, by display name. */
  readonly sizes: ReadonlyMap<string, TableSize>;
  /** Of this role. */
  readonly privileges: ReadonlySet<string>;
  /** Partitions on which this role may not create triggers. */
  readonly untriggerable: readonly QualifiedName[];
  /** Partitions that this role may not read by their own names. */
  readonly unreadable: readonly QualifiedName[];
  /** The table and its partitions, as far as this role does not own them. */
  readonly unowned: readonly QualifiedName[];
  /** Row security would hide rows from this role. */
  readonly rowSecurity: boolean;
  /** The same of the role that rounds run as. */
  readonly runner: { readonly privileges: ReadonlySet<string>; readonly rowSecurity: boolean; readonly owns: boolean; readonly mayCreate: boolean };
  /** The role that owns it, quoted. */
  readonly owner: string;
};

/** What a role may do in the database. */
export type RoleFacts = {
  readonly role: string;
  readonly databaseName: string;
  readonly inRecovery: boolean;
  readonly mayCreateSchema: boolean;
  readonly mayCreateTemporary: boolean;
  /** Null while schema `sarrio` does not stand. */
  readonly mayUseSchema: boolean | null;
  readonly schemaOwner: string | null;
  /** May set session_replication_role. */
  readonly mayReplicate: boolean;
};

/** Facts of the tables that stand, by display name; a table that does not is left out. `runner` is the role of the rounds, null for this one. */
export function tableFacts(tables: readonly QualifiedName[], runner: string | null): Question<ReadonlyMap<string, TableFacts>> {
  return {
    statement: { text: TABLE_FACTS, values: [namesOf(tables), runner], name: 'table_facts' },
    read: (rows) => new Map(rows.map(toFacts).map((facts) => [displayName(facts.table), facts])),
  };
}

/** One query. */
export async function readTables(
  session: Pick<Session, 'query'>,
  tables: readonly QualifiedName[],
  runner: string | null,
): Promise<ReadonlyMap<string, TableFacts>> {
  return askAgain(session, tableFacts(tables, runner));
}

/** Those that may hold rows, by display name. */
export function filledTables(tables: readonly QualifiedName[]): Question<ReadonlySet<string>> {
  return {
    statement: tables.length === 0 ? null : { text: FILLED, values: [namesOf(tables)] },
    read: (rows) => new Set(rows.map((row) => displayName({ schema: row['schema'] ?? '', name: row['name'] ?? '' }))),
  };
}

function namesOf(tables: readonly QualifiedName[]): string {
  return JSON.stringify(tables.map(({ schema, name }) => ({ schema, name })));
}

/** Facts of a role, by default of the one that this session runs as; null when there is no such role. */
export function roleFactsOf({ serverMajor }: Session, name: string | null = null): Question<RoleFacts | null> {
  return { statement: { text: roleFacts(serverMajor), values: [name] }, read: toRole };
}

/** One query. */
export async function readRole(session: Session, name: string | null = null): Promise<RoleFacts | null> {
  return askAgain(session, roleFactsOf(session, name));
}

function toRole([row]: readonly Row[]): RoleFacts | null {
  if (!row) return null;
  const owner = row['schema_owner'] ?? null;
  return {
    role: row['role'] ?? '',
    databaseName: row['database_name'] ?? '',
    inRecovery: row['in_recovery'] === 't',
    mayCreateSchema: row['may_create_schema'] === 't',
    mayCreateTemporary: row['may_create_temporary'] === 't',
    mayUseSchema: owner === null ? null : row['may_use_schema'] === 't',
    schemaOwner: owner,
    mayReplicate: row['may_replicate'] === 't',
  };
}

function toFacts(row: Row): TableFacts {
  return {
    table: { schema: row['schema'] ?? '', name: row['name'] ?? '' },
    kind: row['kind'] ?? '',
    columns: new Map(lists(row, 'columns').map(columnFacts)),
    uniqueKeys: lists(row, 'unique_keys').map((key) => key.map(String)),
    partitions: lists(row, 'partitions').map(toName),
    sizes: toSizes(row),
    privileges: new Set(list(row, 'privileges').map(String)),
    untriggerable: lists(row, 'untriggerable').map(toName),
    unreadable: lists(row, 'unreadable').map(toName),
    unowned: lists(row, 'unowned').map(toName),
    rowSecurity: row['row_security'] === 't',
    runner: {
      privileges: new Set(list(row, 'runner_privileges').map(String)),
      rowSecurity: row['runner_row_security'] === 't',
      owns: row['runner_owns'] === 't',
      mayCreate: row['runner_may_create'] === 't',
    },
    owner: row['owner'] ?? '',
  };
}

function columnFacts([name, type, notNull, hasDefault, isGenerated]: readonly unknown[]): readonly [string, ColumnFacts] {
  return [String(name), { type: String(type), notNull: notNull === true, hasDefault: hasDefault === true, isGenerated: isGenerated === true }];
}

/** A partitioned table is as large as its partitions together. A table that nobody has analyzed has -1 rows. */
function toSizes(row: Row): ReadonlyMap<string, TableSize> {
  const found = lists(row, 'sizes').map(([schema, name, kind, tuples, bytes]) => ({
    name: displayName({ schema: String(schema), name: String(name) }),
    isParent: kind === 'p',
    rows: Number(tuples) < 0 ? null : Math.round(Number(tuples)),
    bytes: Number(bytes),
  }));
  const leaves = found.filter(({ isParent }) => !isParent);
  const rows = leaves.some((leaf) => leaf.rows === null) ? null : leaves.reduce((sum, leaf) => sum + (leaf.rows ?? 0), 0);
  const together = { rows, bytes: leaves.reduce((sum, leaf) => sum + leaf.bytes, 0) };
  return new Map(found.map((each) => [each.name, each.isParent ? together : { rows: each.rows, bytes: each.bytes }]));
}

function toName([schema, name]: readonly unknown[]): QualifiedName {
  return { schema: String(schema), name: String(name) };
}

function lists(row: Row, column: string): readonly (readonly unknown[])[] {
  return list(row, column).map((item) => (Array.isArray(item) ? item : []));
}

/** A JSON array that the query built, or none. */
function list(row: Row, column: string): readonly unknown[] {
  const value: unknown = JSON.parse(row[column] ?? 'null');
  return Array.isArray(value) ? value : [];
}
