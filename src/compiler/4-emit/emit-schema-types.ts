import { generatedHeader } from '../../plan/generated-header.ts';
import type { ColumnSchema, DatabaseSchema, SchemaLock, TableSchema } from '../../plan/schema-lock.ts';
import { displayName, type QualifiedName } from '../../sql/quote.ts';

/**
 * `schema.d.ts`: what the databases of the lock hold, as types that `defineReplication` holds configs against. Null for a lock without
 * any: then every name is a text. Values have the types that handlers get them as (`conflict/handlers/values.ts`).
 */
export function emitSchemaTypes(lock: SchemaLock): string | null {
  const databases = Object.entries(lock.databases);
  if (databases.length === 0) return null;
  return [
    generatedHeader('//'),
    '',
    "import type { Bigint, Numeric } from 'sarrio';",
    '',
    "declare module 'sarrio' {",
    '  interface Register {',
    '    readonly databases: {',
    ...databases.flatMap(([name, database]) => databaseLines(name, database)),
    '    };',
    '  }',
    '}',
    '',
  ].join('\n');
}

function databaseLines(name: string, database: DatabaseSchema): readonly string[] {
  const labels = new Map(database.enums.map((each) => [displayName(each), each.labels]));
  return [
    `      readonly ${property(name)}: {`,
    ...database.tables.flatMap((table) => spellings(table).flatMap((spelling) => tableLines(spelling, table, labels))),
    '      };',
  ];
}

/** As messages write it, and as a config may where that needs no quotes: `public."Odd Name"` and `public.Odd Name`. */
function spellings(table: QualifiedName): readonly string[] {
  const bare = [table.schema, table.name].every((part) => !/["*.]/.test(part));
  return [...new Set([displayName(table), ...(bare ? [`${table.schema}.${table.name}`] : [])])];
}

type Labels = ReadonlyMap<string, readonly string[]>;

function tableLines(spelling: string, table: TableSchema, labels: Labels): readonly string[] {
  return [
    `        readonly ${text(spelling)}: {`,
    ...table.columns.map((column) => `          /** ${comment(column)} */ readonly ${property(column.name)}: ${valueType(column, labels)};`),
    '        };',
  ];
}

function comment({ type, notNull }: ColumnSchema): string {
  return `${type.replaceAll(/[\n\r\u2028\u2029]/g, ' ').replaceAll('*/', '*\\/')}${notNull ? ' not null' : ''}`;
}

function valueType({ type, notNull }: ColumnSchema, labels: Labels): string {
  const label = labels.get(type);
  const value = label ? label.map(text).join(' | ') || 'never' : plainType(type);
  return notNull ? value : `${value} | null`;
}

function plainType(type: string): string {
  switch (type) {
    case 'boolean':
      return 'boolean';
    case 'smallint':
    case 'integer':
    case 'real':
    case 'double precision':
      return 'number';
    case 'bigint':
      return 'Bigint';
    default:
      return /^numeric(\(|$)/.test(type) ? 'Numeric' : 'string';
  }
}

function property(name: string): string {
  return /^[A-Za-z_$][A-Za-z0-9_$]*$/.test(name) ? name : text(name);
}

/** A text literal on one line. */
function text(value: string): string {
  return JSON.stringify(value).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
}
