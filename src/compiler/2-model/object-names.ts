import { createHash } from 'node:crypto';
import type { QualifiedName } from '../../sql/quote.ts';

/** PostgreSQL's NAMEDATALEN - 1, in bytes. */
const MAX_BYTES = 63;
const LONGEST_PREFIX = 'capture_key_'.length;

/** The number of delta segments of a table, written in turn. Three, so that one that a long transaction holds on to does not stop the turning of the others. */
export const SEGMENTS = [1, 2, 3] as const;

/** Names of the objects that stand in schema `sarrio` for one captured table. */
export type ObjectNames = {
  readonly delta: string;
  readonly segments: readonly string[];
  readonly segmentIndexes: readonly string[];
  readonly current: string;
  readonly filled: string;
  readonly capture: string;
  readonly captureKey: string;
  readonly truncate: string;
};

/**
 * Every kind has a prefix of its own, so that names of different tables can only meet when their bases do. The base is
 * `<schema>_<table>` where that can be read back (no underscore in the schema) and fits; otherwise it is cut and hashed.
 */
export function objectNames(table: QualifiedName): ObjectNames {
  const found = known.get(table);
  if (found !== undefined) return found;
  const names = namesOf(baseName(table));
  known.set(table, names);
  return names;
}

/** Every statement of a table names some of them. */
const known = new WeakMap<QualifiedName, ObjectNames>();

function namesOf(base: string): ObjectNames {
  return {
    delta: `delta_${base}`,
    segments: SEGMENTS.map((number) => `segment${number}_${base}`),
    segmentIndexes: SEGMENTS.map((number) => `xid${number}_${base}`),
    current: `current_${base}`,
    filled: `filled_${base}`,
    capture: `capture_${base}`,
    captureKey: `capture_key_${base}`,
    truncate: `truncate_${base}`,
  };
}

/** The sequence that tells the triggers of a sync's tables whether the runner sleeps. */
export function wakeName(sync: string): string {
  return cut('wake_', sync, [sync]);
}

function baseName(table: QualifiedName): string {
  const plain = `${table.schema}_${table.name}`;
  const isReadable = !table.schema.includes('_') && Buffer.byteLength(plain) <= MAX_BYTES - LONGEST_PREFIX;
  return isReadable ? plain : hashed(plain, [table.schema, table.name], MAX_BYTES - LONGEST_PREFIX);
}

function cut(prefix: string, name: string, identity: readonly string[]): string {
  const room = MAX_BYTES - prefix.length;
  return prefix + (Buffer.byteLength(name) <= room ? name : hashed(name, identity, room));
}

/** Eight hexadecimal digits that stand for one identity. */
export function identityHash(identity: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, 8);
}

/** Cuts at a character's border, so that the name stays valid UTF-8. */
function hashed(plain: string, identity: readonly string[], bytes: number): string {
  const hash = identityHash(identity);
  let head = '';
  for (const character of plain) {
    if (Buffer.byteLength(head + character) > bytes - hash.length - 1) break;
    head += character;
  }
  return `${head}_${hash}`;
}
