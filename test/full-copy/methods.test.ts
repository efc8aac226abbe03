import { describe, expect, test } from 'vitest';
import type { FullCopyMethod, FullCopySync, SyncConfig } from '../../src/index.ts';
import type { RunnerEvent } from '../../src/runner/events.ts';
import { differingRows } from '../support/compare.ts';
import { type TestDatabase } from '../support/database.ts';
import { freshDatabase } from '../support/databases.ts';
import { catchUp, copyOnce } from '../support/follow.ts';
import { type Installation, installation } from '../support/installation.ts';

const METHODS = ['delete', 'truncate', 'swap', 'changed-only'] as const;

type Copied = { readonly source: TestDatabase; readonly target: TestDatabase; readonly project: Installation };
type Options = Partial<FullCopySync> & { readonly targetSchema?: string; readonly others?: Readonly<Record<string, SyncConfig>> };

async function copied(schema: string, { targetSchema = schema, others = {}, ...sync }: Options = {}): Promise<Copied> {
  const [source, target] = [await freshDatabase('source'), await freshDatabase('target')];
  await source.script(schema);
  await target.script(targetSchema);
  const copy: FullCopySync = { mode: 'full-copy', source: 'source', targets: ['target'], tables: ['public.*'], ...sync };
  const project = await installation({ databases: { source, target }, syncs: { s: copy, ...others } });
  expect((await project.apply()).diagnostics).toEqual([]);
  return { source, target, project };
}

function finished(events: readonly RunnerEvent[]): readonly number[] {
  return events.flatMap((event) => (event.kind === 'full-copy-finished' ? [event.rows] : []));
}

describe.each(METHODS)('%s', (method: FullCopyMethod) => {
  test('replaces all rows, with generated and identity columns, every time', async () => {
    const schema = `create table t (id bigint generated always as identity primary key, n numeric(10, 2), v text unique,
      twice numeric generated always as (n * 2) stored, at timestamptz default now());`;
    const { source, target, project } = await copied(schema, { method });
    await source.script(`insert into t (n, v) select g / 7.0, 'v' || g from generate_series(1, 3000) g`);
    await target.script(`insert into t (n, v) select g, 'own ' || g from generate_series(1, 50) g`);
    expect(finished(await catchUp(project))).toEqual([3000]);
    expect(await differingRows(source, target, 'public.t')).toEqual([]);
    expect(finished(await catchUp(project))).toEqual([]);
    await source.script("update t set v = 'w' || id where id % 3 = 0; delete from t where id % 5 = 0; insert into t (n, v) values (null, 'new'), (1, null)");
    await source.script("update t set v = case v when 'v1' then 'v2' else 'v1' end where v in ('v1', 'v2')");
    await target.script("delete from t where id < 100; insert into t (n, v) values (1, 'w9')");
    expect(finished(await copyOnce(project))).toHaveLength(1);
    expect(await differingRows(source, target, 'public.t')).toEqual([]);
  });
});
