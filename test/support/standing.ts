import type { SyncConfig } from '../../src/index.ts';
import type { RunnerEvent } from '../../src/runner/events.ts';
import { differingRows } from './compare.ts';
import type { TestDatabase } from './database.ts';
import { discard, newDatabase } from './databases.ts';
import { catchUp } from './follow.ts';
import { type Installation, installation } from './installation.ts';

/** Databases and a project over them that stand for all tests of a file. */
export type Standing<Name extends string> = {
  readonly at: Readonly<Record<Name, TestDatabase>>;
  readonly project: Installation;
  /** Other syncs than before over the same databases: compiled, applied, caught up. */
  reshape(syncs: Readonly<Record<string, SyncConfig>>): Promise<void>;
  /** Carries on until nothing is pending. */
  settle(): Promise<readonly RunnerEvent[]>;
  /** Differences of any of the databases from the first one. */
  differences(names: readonly Name[], tables: readonly string[]): Promise<readonly string[]>;
  /** What the table's decided conflicts came to, each once: `update/update take b`. */
  decided(table: string): Promise<readonly string[]>;
  dispose(): Promise<void>;
};

/** For `beforeAll`: return its `dispose` from the hook. The same schema everywhere, unless it is told for each database. */
export async function standing<Name extends string>(
  schemas: Readonly<Record<Name, string>>,
  syncs: Readonly<Record<string, SyncConfig>>,
): Promise<Standing<Name>> {
  const names = Object.keys(schemas) as Name[];
  const made = await Promise.all(names.map(async (name) => [name, await prepared(name, schemas[name])] as const));
  const at = Object.fromEntries(made) as Record<Name, TestDatabase>;
  const ends: (() => Promise<void>)[] = [];
  const project = await installation({ databases: at, syncs, atEnd: (task) => void ends.push(task) });
  const stage: Standing<Name> = {
    at,
    project,
    reshape: async (changed) => {
      await project.compile(changed);
      await bring(project);
    },
    settle: () => catchUp(project),
    differences: async ([first, ...others], tables) => {
      const lists: string[] = [];
      for (const other of first ? others : []) lists.push(...(await differingRows(at[first as Name], at[other], ...tables)));
      return lists;
    },
    decided: (table) => decidedOf(Object.values(at), table),
    dispose: async () => {
      for (const database of Object.values<TestDatabase>(at)) await discard(database);
      for (const end of ends) await end();
    },
  };
  await bring(project);
  return stage;
}

async function prepared(name: string, schema: string): Promise<TestDatabase> {
  const database = await newDatabase(name);
  await database.script(schema);
  return database;
}

async function bring(project: Installation): Promise<void> {
  const { diagnostics } = await project.approve();
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) throw new Error(`apply: ${JSON.stringify(errors)}`);
  await catchUp(project);
}

async function decidedOf(databases: readonly TestDatabase[], table: string): Promise<readonly string[]> {
  const found = new Map<string, string>();
  for (const database of databases) {
    const [member] = await database.query<{ isMember: boolean }>('select to_regclass(\'sarrio.conflict\') is not null as "isMember"');
    if (!member?.isMember) continue;
    const rows = await database.query<{ id: string; what: string }>(
      "select id::text as id, concat_ws(' ', kind, decision) as what from sarrio.conflict where relation = $1",
      [table],
    );
    for (const { id, what } of rows) found.set(id, what);
  }
  return [...found.values()].sort();
}
