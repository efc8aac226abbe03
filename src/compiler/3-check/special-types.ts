import type { DatabaseSchema } from '../../plan/schema-lock.ts';
import { displayName } from '../../sql/quote.ts';
import { parseType } from './type-name.ts';

/** Built-in types whose input function takes no value: what the server made for itself. */
export const WITHOUT_INPUT: ReadonlySet<string> = new Set([
  'gtsvector',
  'pg_brin_bloom_summary',
  'pg_brin_minmax_multi_summary',
  'pg_dependencies',
  'pg_mcv_list',
  'pg_ndistinct',
  'pg_node_tree',
]);

/** Built-in types whose values name something of their own database or server: by its number, or by its name. */
export const LOCAL: ReadonlyMap<string, 'number' | 'name'> = new Map([
  ...['cid', 'oid', 'oidvector', 'pg_lsn', 'pg_snapshot', 'tid', 'txid_snapshot', 'xid', 'xid8'].map((type) => [type, 'number'] as const),
  ...['aclitem', 'regclass', 'regcollation', 'regconfig', 'regdictionary', 'regnamespace', 'regoper', 'regoperator'].map((type) => [type, 'name'] as const),
  ...['regproc', 'regprocedure', 'regrole', 'regtype'].map((type) => [type, 'name'] as const),
]);

/** Built-in types without a btree equality. An array of one has an index type, but no two of its values can be compared. */
export const INCOMPARABLE: ReadonlySet<string> = new Set([
  ...['aclitem', 'box', 'cid', 'circle', 'json', 'jsonpath', 'line', 'lseg', 'path', 'pg_snapshot', 'point', 'polygon'],
  ...['refcursor', 'txid_snapshot', 'xid', 'xml'],
]);

/** The built-in types that a type is made of in the end, without modifiers: elements of arrays, bases of domains, attributes. */
export function builtInParts(type: string, database: DatabaseSchema): readonly string[] {
  const known = PARTS.get(database) ?? new Map<string, readonly string[]>();
  const parts = known.get(type) ?? findParts(type, database);
  PARTS.set(database, known.set(type, parts));
  return parts;
}

/** Of a database's types: its columns have the same few. */
const PARTS = new WeakMap<DatabaseSchema, Map<string, readonly string[]>>();

function findParts(type: string, database: DatabaseSchema): readonly string[] {
  const { base } = parseType(type);
  const own = database.types.find((candidate) => displayName(candidate) === base);
  switch (own?.kind) {
    case undefined:
      return [base];
    case 'domain':
      return builtInParts(own.base, database);
    case 'composite':
      return own.attributes.flatMap((attribute) => builtInParts(attribute.type, database));
    case 'range':
    case 'multirange':
    case 'base':
      return [];
  }
}
