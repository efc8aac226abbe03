import { expect } from 'vitest';
import type { FullCopySync, SyncConfig } from '../../src/index.ts';
import type { RunnerEvent } from '../../src/runner/events.ts';
import type { TestDatabase } from './database.ts';
import { freshDatabase } from './databases.ts';
import { type Installation, installation } from './installation.ts';

export type Copied = { readonly source: TestDatabase; readonly target: TestDatabase; readonly project: Installation };

export type CopiedOptions = Partial<FullCopySync> & {
  /** The source's by default. */
  readonly targetSchema?: string;
  readonly others?: Readonly<Record<string, SyncConfig>>;
};

/** Source and target with one full copy, applied; nothing has been copied yet. */
export async function copied(schema: string, { targetSchema = schema, others = {}, ...sync }: CopiedOptions = {}): Promise<Copied> {
  const [source, target] = [await freshDatabase('source'), await freshDatabase('target')];
  await source.script(schema);
  await target.script(targetSchema);
  const copy: FullCopySync = { mode: 'full-copy', source: 'source', targets: ['target'], tables: ['public.*'], ...sync };
  const project = await installation({ databases: { source, target }, syncs: { s: copy, ...others } });
  expect((await project.apply()).diagnostics).toEqual([]);
  return { source, target, project };
}

/** The numbers of rows of the copies among the events. */
export function finished(events: readonly RunnerEvent[]): readonly number[] {
  return events.flatMap((event) => (event.kind === 'full-copy-finished' ? [event.rows] : []));
}
