import { createHash } from 'node:crypto';

/** Order by UTF-16 code units: the same on every machine, whatever its locale. */
export function byCodeUnit(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

/** SHA-256 (hex) of a JSON value, the same whatever the order of keys. */
export function contentHash(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(sortKeys(value))).digest('hex');
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([left], [right]) => byCodeUnit(left, right));
  return Object.fromEntries(entries.map(([key, item]) => [key, sortKeys(item)]));
}
