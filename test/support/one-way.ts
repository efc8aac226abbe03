import { expect } from 'vitest';
import type { OneWaySync, TableConfig } from '../../src/index.ts';
import type { TestDatabase } from './database.ts';
import { freshDatabase } from './databases.ts';
import { type Installation, installation } from './installation.ts';

export type Pair = { readonly source: TestDatabase; readonly target: TestDatabase; readonly project: Installation };

type Options = Partial<Omit<OneWaySync, 'mode' | 'source' | 'targets' | 'tables'>> & {
  readonly tables?: readonly (string | TableConfig)[];
  readonly targetSchema?: string;
};

/** Source and target with the same tables (unless the target's are given), replicated one way as sync `s`, applied. */
export async function oneWayPair(schema: string, { tables = ['public.*'], targetSchema = schema, ...settings }: Options = {}): Promise<Pair> {
  const [source, target] = [await freshDatabase('source'), await freshDatabase('target')];
  await source.script(schema);
  await target.script(targetSchema);
  const sync = { mode: 'one-way', source: 'source', targets: ['target'], tables, ...settings } as const;
  const project = await installation({ databases: { source, target }, syncs: { s: sync } });
  expect((await project.apply()).diagnostics).toEqual([]);
  return { source, target, project };
}
