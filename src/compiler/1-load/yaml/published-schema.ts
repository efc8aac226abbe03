import { configSchema } from '../config-schema.ts';

/** A function in a config of YAML: a name that a module exports. */
export const REFERENCE = '^\\.{1,2}/[^#]+#[A-Za-z_$][A-Za-z0-9_$]*$';

/**
 * The schema of a config that is written as data, as the package publishes it (`sarrio/config.schema.json`) for completion in editors. The
 * same as that of a config in TypeScript, but where that has a function there is a reference to one.
 */
export function publishedSchema(): Readonly<Record<string, unknown>> {
  const { properties, ...rest } = configSchema;
  const schema = { ...rest, properties: { $schema: { type: 'string' }, ...properties } };
  return { $schema: 'https://json-schema.org/draft/2020-12/schema', title: 'A config of sarrio', ...asData(schema) };
}

function asData(schema: object): Readonly<Record<string, unknown>> {
  if ('isHandler' in schema) return { type: 'string', pattern: REFERENCE };
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, partAsData(value)]));
}

function partAsData(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(partAsData);
  return typeof part === 'object' && part !== null ? asData(part) : part;
}
