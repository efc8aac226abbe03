import type {
  ColumnSchema,
  DatabaseSchema,
  KeyColumn,
  IndexPart,
  IndexSchema,
  KeySchema,
  SequenceSchema,
  TableKind,
  TableSchema,
} from '../../plan/schema-lock.ts';
import type { QualifiedName } from '../../sql/quote.ts';
import { ask, order, type Question } from '../postgres/question.ts';
import type { Session } from '../postgres/session.ts';
import { BEGIN_READING, COLUMNS, FINISH_READING, KEYS, REFERENCES, RELATIONS, TYPES } from './schema.sql.ts';
import { readTypes } from './read-types.ts';
import { transferOf } from './transfer.ts';
import type { Row } from '../postgres/statement.ts';

/** What one database's catalog says of some schemas, and how many round trips it took (always the same number). */
export type SchemaReading = { readonly schema: DatabaseSchema; readonly queries: number };

type Groups = ReadonlyMap<string, readonly Row[]>;

/** Reads the catalog in one read-only snapshot. */
export async function readSchema(session: Session, schemas: readonly string[]): Promise<SchemaReading> {
  const [, relations] = await ask(session, [order(BEGIN_READING), relationsIn(schemas)]);
  const details = await ask(session, [...detailsOf(relations), order(FINISH_READING)]);
  return { schema: schemaOf(session, relations, details), queries: 2 };
}

/** The same within a transaction that is open, with what it has changed. */
export async function readSchemaHere(session: Session, schemas: readonly string[]): Promise<DatabaseSchema> {
  const [relations] = await ask(session, [relationsIn(schemas)]);
  return schemaOf(session, relations, await ask(session, detailsOf(relations)));
}

type Rows = Question<readonly Row[]>;

function relationsIn(schemas: readonly string[]): Rows {
  return rowsOf(RELATIONS, JSON.stringify(schemas));
}

function detailsOf(relations: readonly Row[]): readonly [columns: Rows, keys: Rows, references: Rows, types: Rows] {
  const oids = `{${relations.map((row) => text(row, 'oid')).join(',')}}`;
  return [rowsOf(COLUMNS, oids), rowsOf(KEYS, oids), rowsOf(REFERENCES, oids), rowsOf(TYPES, oids)];
}

function rowsOf(query: string, value: string): Rows {
  return { statement: { text: query, values: [value] }, read: (rows) => rows };
}

type Details = readonly [columns: readonly Row[], keys: readonly Row[], references: readonly Row[], types: readonly Row[], ...rest: readonly unknown[]];

function schemaOf({ serverMajor, encoding }: Session, relations: readonly Row[], [columns, keys, references, types]: Details): DatabaseSchema {
  const parts = { columns: grouped(columns), keys: grouped(keys), references: grouped(references) };
  return { serverMajor, encoding, tables: relations.map((row) => tableOf(row, parts)), ...readTypes(types) };
}

function grouped(rows: readonly Row[]): Groups {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const relation = text(row, 'relation');
    const group = groups.get(relation);
    if (group) group.push(row);
    else groups.set(relation, [row]);
  }
  return groups;
}

function tableOf(row: Row, parts: { columns: Groups; keys: Groups; references: Groups }): TableSchema {
  const oid = text(row, 'oid');
  const columns = (parts.columns.get(oid) ?? []).map(columnOf);
  const parents = namesOf(text(row, 'parents'));
  const isPartition = flag(row, 'is_partition');
  const keys = keysOf(parts.keys.get(oid) ?? [], columns);
  const isKey = ({ name }: IndexSchema): boolean => keys.some((key) => key.name === name);
  return {
    ...nameOf(row),
    kind: kindOf(text(row, 'kind')),
    persistence: text(row, 'persistence') === 'u' ? 'unlogged' : 'permanent',
    columns,
    keys,
    partitionOf: isPartition ? (parents[0] ?? null) : null,
    inherits: isPartition ? [] : parents,
    rowSecurity: flag(row, 'row_security'),
    beforeUpdateTrigger: flag(row, 'before_update_trigger'),
    references: (parts.references.get(oid) ?? []).map(nameOf),
    ...listed(
      'otherUnique',
      parsed<IndexRow>(row, 'unique_indexes')
        .map(indexOf)
        .filter((index) => !isKey(index)),
    ),
    ...listed('exclusions', parsed<IndexRow>(row, 'exclusions').map(indexOf)),
    ...listed('replicaTriggers', parsed<string>(row, 'replica_triggers')),
  };
}

type IndexRow = {
  readonly name: string;
  readonly definition: string;
  readonly parts: readonly IndexPart[] | null;
  readonly where: string | null;
  readonly nulls_equal?: string | null;
};

function indexOf({ name, definition, parts, where, nulls_equal }: IndexRow): IndexSchema {
  return {
    ...{ name, definition, ...(parts === null ? {} : { parts }) },
    ...(where === null ? {} : { where }),
    ...(nulls_equal === 'true' ? { nullsEqual: true } : {}),
  };
}

/** Only where there are any. */
function listed<Name extends string, Value>(name: Name, values: readonly Value[]): { readonly [name in Name]?: readonly Value[] } {
  return values.length === 0 ? {} : ({ [name]: values } as { readonly [name in Name]: readonly Value[] });
}

function parsed<Value>(row: Row, column: string): readonly Value[] {
  return JSON.parse(row[column] ?? '[]') as readonly Value[];
}

function columnOf(row: Row): ColumnSchema {
  return {
    name: text(row, 'name'),
    type: text(row, 'type'),
    notNull: flag(row, 'not_null'),
    hasDefault: flag(row, 'has_default'),
    identity: identityOf(row['identity']),
    generated: generatedOf(row['generated']),
    collation: row['collation'] ?? null,
    transfer: transferOf({ isBuiltIn: flag(row, 'is_built_in'), baseType: text(row, 'base_type') }),
    variableLength: flag(row, 'variable_length'),
    ...(row['key_default'] ? { keyDefault: row['key_default'] } : {}),
    ...listed('sequences', parsed<SequenceSchema>(row, 'sequences')),
  };
}

function keysOf(rows: readonly Row[], columns: readonly ColumnSchema[]): readonly KeySchema[] {
  const nullable = new Set(columns.filter(({ notNull }) => !notNull).map(({ name }) => name));
  const names = [...new Set(rows.map((row) => text(row, 'name')))];
  return names.map((name) => {
    const own = rows.filter((row) => text(row, 'name') === name);
    const [first = {}] = own;
    return {
      name,
      columns: own.map(keyColumnOf),
      primary: flag(first, 'is_primary'),
      deferrable: flag(first, 'deferrable'),
      notNull: own.every((row) => !nullable.has(text(row, 'column'))),
    };
  });
}

function keyColumnOf(row: Row): KeyColumn {
  const input = row['operator_input'] ?? null;
  const equality = { schema: text(row, 'operator_schema'), name: text(row, 'operator') };
  return { name: text(row, 'column'), equality, folding: row['folding'] ?? null, ...(input === null ? {} : { input }) };
}

function nameOf(row: Row): QualifiedName {
  return { schema: text(row, 'schema'), name: text(row, 'name') };
}

function namesOf(json: string): readonly QualifiedName[] {
  return JSON.parse(json) as readonly QualifiedName[];
}

function kindOf(relkind: string): TableKind {
  const kinds: Readonly<Record<string, TableKind>> = { r: 'table', p: 'partitioned', f: 'foreign', v: 'view', m: 'materialized-view' };
  const kind = kinds[relkind];
  if (kind) return kind;
  throw new Error(`the catalog has a relation of the unknown kind ${relkind}`);
}

function identityOf(value: string | null | undefined): ColumnSchema['identity'] {
  return value === 'a' ? 'always' : value === 'd' ? 'by-default' : 'none';
}

function generatedOf(value: string | null | undefined): ColumnSchema['generated'] {
  return value === 's' ? 'stored' : value === 'v' ? 'virtual' : 'none';
}

function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value === 'string') return value;
  throw new Error(`the catalog gave no ${column}`);
}

function flag(row: Row, column: string): boolean {
  return text(row, column) === 't';
}
