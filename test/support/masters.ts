import { expect } from 'vitest';
import type { MultiMasterSync } from '../../src/index.ts';
import { differingRows } from './compare.ts';
import type { TestDatabase } from './database.ts';
import { freshDatabase } from './databases.ts';
import { catchUp, onAll } from './follow.ts';
import { type Installation, installation } from './installation.ts';

export const MEMBERS = ['east', 'west', 'north', 'south', 'center'] as const;

export type Masters = {
  /** In the order of the sync. */
  readonly members: readonly TestDatabase[];
  readonly project: Installation;
  /** Lets the runner work until nothing is pending; then all members must hold the same rows. */
  settles(): Promise<void>;
  /** The same, and what table t holds then, as text, ordered. */
  rows(): Promise<readonly string[]>;
  /** Conflicts as recorded anywhere, each once: `update/update take west`. */
  conflicts(): Promise<readonly string[]>;
};

export type MastersOptions = {
  readonly count?: number;
  readonly sync?: Partial<MultiMasterSync>;
  /** Run on the first member before the sync is applied. */
  readonly seed?: string;
  readonly compared?: readonly string[];
};

/** Members with one sync over all of their tables, applied and copied: what comes now comes in rounds. */
export async function masters(schema: string, options: MastersOptions = {}): Promise<Masters> {
  const { count = 2, sync = {}, seed = '', compared = ['public.t'] } = options;
  const names = MEMBERS.slice(0, count);
  const members: TestDatabase[] = [];
  for (const name of names) members.push(await freshDatabase(name));
  await onAll(members, schema);
  await members[0]?.script(seed);
  const full: MultiMasterSync = { mode: 'multi-master', members: names, tables: ['public.*'], onConflict: 'last-update-wins', ...sync };
  const project = await installation({ databases: Object.fromEntries(names.map((name, index) => [name, at(members, index)])), syncs: { m: full } });
  expect((await project.apply()).diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  const settles = async (): Promise<void> => {
    await catchUp(project);
    await expectAlike(members, compared);
  };
  await settles();
  return {
    members,
    project,
    settles,
    rows: async () => {
      await settles();
      return rowsOf(at(members, 0));
    },
    conflicts: async () => {
      const found = new Map<string, string>();
      for (const member of members) for (const { id, what } of await conflictsOf(member)) found.set(id, what);
      return [...found.values()].sort();
    },
  };
}

export function at<T>(list: readonly T[], index: number): T {
  const found = list[index];
  if (found === undefined) throw new Error(`there is no element ${index}`);
  return found;
}

/** Each with the first one. */
export async function expectAlike(members: readonly TestDatabase[], tables: readonly string[]): Promise<void> {
  const [first, ...others] = members;
  if (first === undefined) throw new Error('no members');
  for (const other of others) expect(await differingRows(first, other, ...tables)).toEqual([]);
}

export async function rowsOf(database: TestDatabase, table = 't'): Promise<readonly string[]> {
  const rows = await database.query<{ row: string }>(`select whole::text as row from ${table} as whole order by whole::text collate "C"`);
  return rows.map(({ row }) => row);
}

async function conflictsOf(member: TestDatabase): Promise<readonly { id: string; what: string }[]> {
  return member.query<{ id: string; what: string }>("select id::text as id, concat_ws(' ', kind, decision) as what from sarrio.conflict");
}
