import { type ColumnSchema, type DatabaseSchema, LOCK_FORMAT, type SchemaLock, type TableSchema } from '../../src/plan/schema-lock.ts';

/** `name type` or `name type not null`. */
function column(text: string): ColumnSchema {
  const [, quoted, plain, type = '', notNull] = /^(?:"(.*?)"|(\S+)) (.*?)( not null)?$/s.exec(text) ?? [];
  const rest = { hasDefault: false, identity: 'none', generated: 'none', collation: null, transfer: 'binary', variableLength: false } as const;
  return { name: quoted ?? plain ?? '', type, notNull: notNull !== undefined, ...rest };
}

export function table(name: string, columns: readonly string[], schema = 'public'): TableSchema {
  return {
    schema,
    name,
    kind: 'table',
    persistence: 'permanent',
    columns: columns.map(column),
    keys: [],
    partitionOf: null,
    inherits: [],
    rowSecurity: false,
    beforeUpdateTrigger: false,
    references: [],
  };
}

/** The same with its first column for a key. */
export function keyed(name: string, columns: readonly string[]): TableSchema {
  const made = table(name, columns);
  const key = { name: `${name}_pkey`, columns: [{ name: made.columns[0]?.name ?? '', equality: { schema: 'pg_catalog', name: '=' }, folding: null }] };
  return { ...made, keys: [{ ...key, primary: true, deferrable: false, notNull: true }] };
}

function database(tables: readonly TableSchema[]): DatabaseSchema {
  const enums = [{ schema: 'public', name: 'state', labels: ['open', "it's \u2028 closed"] }];
  return { serverMajor: 17, encoding: 'UTF8', tables, enums, types: [] };
}

export function lockOf(databases: Readonly<Record<string, readonly TableSchema[]>>): SchemaLock {
  return { format: LOCK_FORMAT, databases: Object.fromEntries(Object.entries(databases).map(([name, tables]) => [name, database(tables)])) };
}

const ORDERS = table('orders', [
  'id bigint not null',
  'total numeric(12,2)',
  'quantity integer not null',
  'weight double precision',
  'state public.state not null',
  'placed_at timestamp with time zone not null',
  'paid boolean',
  'note text',
  'tags text[]',
  'code public.code',
]);
const ODD = table('Odd Name', ['id integer not null', '"a column" text', 'of public."evil */ type"']);
const DOTTED = table('dot.ted', ['id integer not null']);

/** East and west hold the same; east has a table and a column more. */
export const SHOP = lockOf({
  east: [ORDERS, ODD, DOTTED, table('customers', ['id integer not null', 'email text not null', 'secret text']), table('only_east', ['id integer not null'])],
  west: [ORDERS, ODD, DOTTED, table('customers', ['id integer not null', 'email text not null'])],
});
