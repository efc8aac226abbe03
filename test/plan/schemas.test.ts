import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { configSchema } from '../../src/compiler/1-load/config-schema.ts';
import { publishedSchema } from '../../src/compiler/1-load/yaml/published-schema.ts';

const file = (name: string): Record<string, unknown> => JSON.parse(readFileSync(new URL(`../../src/plan/${name}`, import.meta.url), 'utf8'));

test.each([
  ['plan.schema.json', file('plan.schema.json')],
  ['schema-lock.schema.json', file('schema-lock.schema.json')],
  ["the config's schema", configSchema],
  ['the published schema of configs', publishedSchema()],
])('%s is a JSON Schema: programs compile it without looking', (_, schema) => {
  const ajv = new Ajv2020();
  expect(ajv.validateSchema(schema), ajv.errorsText()).toBe(true);
  expect(ajv.validateSchema({ ...schema, type: 'nothing' })).toBe(false);
});
