import type { SchemaLock } from './schema-lock.ts';

/** The text of `schema.lock.json`. What holds no other list or object stands on one line: a column is one line of a diff. */
export function writeLock(lock: SchemaLock): string {
  return `${print(lock, '')}\n`;
}

function print(value: unknown, indent: string): string {
  if (!isContainer(value)) return JSON.stringify(value);
  if (isLeaf(value)) return printLeaf(value);
  const inner = `${indent}  `;
  if (Array.isArray(value)) return `[\n${value.map((item) => inner + print(item, inner)).join(',\n')}\n${indent}]`;
  const fields = Object.entries(value).map(([key, item]) => `${inner}${JSON.stringify(key)}: ${print(item, inner)}`);
  return `{\n${fields.join(',\n')}\n${indent}}`;
}

function printLeaf(value: object): string {
  if (Array.isArray(value)) return `[${value.map((item) => JSON.stringify(item)).join(', ')}]`;
  const fields = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${JSON.stringify(item)}`);
  return fields.length === 0 ? '{}' : `{ ${fields.join(', ')} }`;
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function isLeaf(value: object): boolean {
  return !Object.values(value).some(isContainer);
}
