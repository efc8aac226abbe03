import { expect } from 'vitest';
import type { MasterTableConfig, MultiMasterSync } from '../../src/index.ts';
import type { PlanMasterTable } from '../../src/plan/plan.ts';
import { deltaEntries } from './captured.ts';
import type { TestDatabase } from './database.ts';
import { freshDatabase } from './databases.ts';
import { type Installation, installation } from './installation.ts';

export type Mastering = {
  readonly east: TestDatabase;
  readonly west: TestDatabase;
  readonly project: Installation;
  /** Runs the statements at east in one text and returns what they left in the delta table there, sorted: `D 1`, `T`. */
  captured(statements: string): Promise<readonly string[]>;
  /** The sync's first table as the plan has it. */
  planned(): Promise<PlanMasterTable>;
};

/** Two masters with the schema and one sync, `group`, over one of its tables (`public.t` by default), applied. */
export async function mastering(schema: string, table: string | MasterTableConfig = 'public.t', more: Partial<MultiMasterSync> = {}): Promise<Mastering> {
  const [east, west] = [await freshDatabase('east'), await freshDatabase('west')];
  await east.script(schema);
  await west.script(schema);
  const project = await installation({ databases: { east, west }, syncs: { group: mastersOf([table], ['east', 'west'], more) } });
  expect((await project.apply()).diagnostics).toEqual([]);
  return {
    east,
    west,
    project,
    captured: async (statements) => {
      await east.query('truncate sarrio.delta_public_t');
      await east.script(statements);
      return deltaEntries(east, 'sarrio.delta_public_t');
    },
    planned: async () => {
      const sync = (await project.generated()).plan.syncs['group'];
      const found = sync?.mode === 'multi-master' ? sync.tables[0] : undefined;
      if (found === undefined) throw new Error('the plan has no multi-master sync group');
      return found;
    },
  };
}

/** The last update wins unless said otherwise. */
export function mastersOf(tables: MultiMasterSync['tables'], members: readonly string[], more: Partial<MultiMasterSync> = {}): MultiMasterSync {
  return { mode: 'multi-master', members, tables, onConflict: 'last-update-wins', ...more };
}

/** What a reading statement of the plan gives from the beginning of all changes. */
export async function pendingRows(database: TestDatabase, statement: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const client = await database.connect();
  try {
    await client.query("begin; select set_config('sarrio.xmax', '3', true), set_config('sarrio.xip', '{}', true), set_config('sarrio.extra', '{}', true)");
    await client.query("select set_config('search_path', 'pg_catalog, pg_temp', true)");
    return (await client.query<Record<string, unknown>>(statement)).rows;
  } finally {
    await client.end();
  }
}
