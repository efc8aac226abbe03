import { expect } from 'vitest';
import type { OneWaySync, TableConfig } from '../../src/index.ts';
import { type Compared, differingRows } from './compare.ts';
import type { TestDatabase } from './database.ts';
import { freshDatabase } from './databases.ts';
import { catchUp, paths } from './follow.ts';
import { type Installation, installation } from './installation.ts';

export type Replicated = {
  readonly source: TestDatabase;
  readonly target: TestDatabase;
  readonly project: Installation;
  /** Runs the statements on the source and the runner until nothing is pending; then all rows must be equal. Returns the paths of the rounds. */
  follows(statements: string): Promise<readonly string[]>;
};

export type ReplicatedOptions = {
  readonly tables?: readonly (string | TableConfig)[];
  /** The source's by default. */
  readonly targetSchema?: string;
  /** What must be equal; `public.t` by default. */
  readonly compared?: readonly Compared[];
  readonly existingRows?: 'refuse' | 'replace';
};

/** Source and target with one sync, applied and copied: what comes now comes in rounds. */
export async function replicated(schema: string, options: ReplicatedOptions = {}): Promise<Replicated> {
  const { tables = ['public.*'], compared = ['public.t'], existingRows = 'refuse' } = options;
  const [source, target] = [await freshDatabase('source'), await freshDatabase('target')];
  await source.script(schema);
  await target.script(options.targetSchema ?? schema);
  const sync: OneWaySync = { mode: 'one-way', source: 'source', targets: ['target'], tables, existingRows };
  const project = await installation({ databases: { source, target }, syncs: { s: sync } });
  expect((await project.apply()).diagnostics).toEqual([]);
  await catchUp(project);
  const follows = async (statements: string): Promise<readonly string[]> => {
    await source.script(statements);
    const events = await catchUp(project);
    expect(await differingRows(source, target, ...compared)).toEqual([]);
    return paths(events);
  };
  return { source, target, project, follows };
}
