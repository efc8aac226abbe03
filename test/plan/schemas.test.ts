import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { configAjv } from '../../src/compiler/1-load/config-ajv.ts';
import { configSchema } from '../../src/compiler/1-load/config-schema.ts';
import { publishedSchema } from '../../src/compiler/1-load/yaml/published-schema.ts';
import { buildOnce, root } from '../support/build.ts';

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

test('the check of configs that the build makes says the same as the one that is made of the schema', async () => {
  await buildOnce();
  const built: ValidateFunction = createRequire(import.meta.url)(join(root, 'dist/compiler/1-load/config-check.cjs'));
  const made = configAjv().compile(configSchema);
  const databases = { east: { env: 'E' }, west: { env: 'W' } };
  const masters = { mode: 'multi-master', members: ['east', 'west'], tables: ['public.*'] };
  const configs = [
    { databases, syncs: { shop: { ...masters, onConflict: () => 'skip', onException: () => 'park' } } },
    { databases, syncs: { shop: { ...masters, onConflict: 'nobody', onException: 'park', members: 'east' } } },
    { databases, syncs: { '1': { mode: 'one-way', source: 'east', targets: [], tables: [{ tabel: 'x', skip: ['delete', 'delete'] }] } } },
    { databases: { ['e'.repeat(60)]: 'postgres://x' }, syncs: {}, more: 1 },
    { databases, syncs: { shop: { mode: 'one-way', source: 'east', targets: ['west'], tables: ['public.*'] } } },
    null,
  ];
  const said = (check: ValidateFunction): readonly unknown[] => configs.map((config) => ({ isRight: check(config), errors: check.errors }));
  expect(said(built)).toEqual(said(made));
  expect(configs.map((config) => made(config))).toEqual([true, false, false, false, true, false]);
});
