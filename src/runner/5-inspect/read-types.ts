import type { DatabaseSchema, TypeSchema } from '../../plan/schema-lock.ts';
import type { Row } from '../postgres/statement.ts';

/** The answer of `TYPES`: enums apart from the rest. */
export function readTypes(rows: readonly Row[]): Pick<DatabaseSchema, 'enums' | 'types'> {
  const named = rows.map((row) => ({ name: { schema: row['schema'] ?? '', name: row['name'] ?? '' }, kind: row['kind'], definition: definitionOf(row) }));
  return {
    enums: named.filter(({ kind }) => kind === 'e').map(({ name, definition }) => ({ ...name, labels: texts(definition) })),
    types: named.filter(({ kind }) => kind !== 'e').map(({ name, kind, definition }): TypeSchema => ({ ...name, ...partsOf(kind, definition) })),
  };
}

type Parts = TypeSchema extends infer Type ? (Type extends TypeSchema ? Omit<Type, 'schema' | 'name'> : never) : never;

function partsOf(kind: string | null | undefined, definition: unknown): Parts {
  switch (kind) {
    case 'd':
      return { kind: 'domain', base: textAt(definition, 'base'), notNull: at(definition, 'notNull') === true, checks: texts(at(definition, 'checks')) };
    case 'c':
      return { kind: 'composite', attributes: list(definition).map((each) => ({ name: textAt(each, 'name'), type: textAt(each, 'type') })) };
    case 'r':
      return { kind: 'range', subtype: String(definition) };
    case 'm':
      return { kind: 'multirange', range: String(definition) };
    case 'b':
      return { kind: 'base', extension: typeof definition === 'string' ? definition : null };
    default:
      throw new Error(`the catalog has a type of the unknown kind ${kind}`);
  }
}

/** JSON that the query built. */
function definitionOf(row: Row): unknown {
  return JSON.parse(row['definition'] ?? 'null');
}

function at(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Object.entries(value).find(([name]) => name === key)?.[1] : undefined;
}

function textAt(value: unknown, key: string): string {
  return String(at(value, key));
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function texts(value: unknown): readonly string[] {
  return list(value).map(String);
}
