import { expect } from 'vitest';
import { CHANGE_COLUMNS } from '../../src/plan/change-columns.ts';
import type { TableConfig } from '../../src/index.ts';
import type { TestDatabase } from './database.ts';
import { freshDatabase } from './databases.ts';
import { type Installation, installation } from './installation.ts';

export type Capturing = {
  readonly source: TestDatabase;
  readonly project: Installation;
  /** Runs the statements in one text and returns what they left in the delta table, sorted: `I 1`, `U 1,2`, `T`. */
  captured(statements: string): Promise<readonly string[]>;
  /** What the delta table holds; emptied by it. */
  drain(): Promise<readonly string[]>;
};

/** A source with the schema, and one sync over one of its tables (`public.t` by default), applied. */
export async function capturing(schema: string, table: string | TableConfig = 'public.t', delta = 'sarrio.delta_public_t'): Promise<Capturing> {
  const [source, target] = [await freshDatabase('source'), await freshDatabase('target')];
  await source.script(schema);
  await target.script(schema);
  const project = await installation({
    databases: { source, target },
    syncs: { s: { mode: 'one-way', source: 'source', targets: ['target'], tables: [table] } },
  });
  expect((await project.apply()).diagnostics).toEqual([]);
  const drain = () => drainDelta(source, delta);
  return {
    source,
    project,
    drain,
    captured: async (statements) => {
      await drain();
      await source.script(statements);
      return drain();
    },
  };
}

async function drainDelta(source: TestDatabase, delta: string): Promise<readonly string[]> {
  const entries = await deltaEntries(source, delta);
  await source.query(`truncate ${delta}`);
  return entries;
}

/** What a delta table holds of transactions from `since` on, sorted. */
export async function deltaEntries(source: TestDatabase, delta: string, since = '0'): Promise<readonly string[]> {
  const columns = await source.query<{ name: string }>(
    'select quote_ident(attname) as name from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attname = any ($2) order by attnum',
    [delta, [...CHANGE_COLUMNS]],
  );
  const key = columns.map(({ name }) => `d.${name}::text`).join(', ');
  const rows = await source.query<{ entry: string }>(
    `select concat_ws(' ', d.change_op, nullif(concat_ws(',', ${key}), '')) as entry from ${delta} as d where d.change_xid >= $1::xid8`,
    [since],
  );
  return rows.map(({ entry }) => entry).sort();
}
