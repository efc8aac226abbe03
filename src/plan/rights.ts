import type { DatabaseRoles, ObjectKind, TableShape } from './plan.ts';

/** A role of the config: `runner` executes `run` and what changes how it runs, `reader` what only asks (`status`, `plan`, `verify` …). Whoever applies owns everything and needs no grant. */
export type PlannedRole = keyof DatabaseRoles;

type Subject = { readonly kind: ObjectKind; readonly name: string };

const WRITES = ['SELECT', 'INSERT', 'UPDATE', 'DELETE'] as const;

/** Bookkeeping tables by their bare names. */
const TABLES: Readonly<Record<string, Readonly<Record<PlannedRole, readonly string[]>>>> = {
  installed: { runner: ['SELECT'], reader: ['SELECT'] },
  watermark: { runner: WRITES, reader: ['SELECT'] },
  initial_copy: { runner: WRITES, reader: ['SELECT'] },
  acknowledged: { runner: ['SELECT', 'UPDATE'], reader: ['SELECT'] },
  stream: { runner: ['SELECT', 'INSERT', 'UPDATE'], reader: ['SELECT'] },
  paused: { runner: ['SELECT', 'INSERT', 'UPDATE', 'DELETE'], reader: ['SELECT'] },
  seal: { runner: ['SELECT', 'UPDATE'], reader: ['SELECT'] },
  conflict: { runner: ['SELECT', 'INSERT', 'DELETE'], reader: ['SELECT'] },
  full_copy: { runner: ['SELECT', 'INSERT', 'UPDATE'], reader: ['SELECT'] },
  kick: { runner: ['SELECT', 'INSERT', 'UPDATE'], reader: ['SELECT'] },
  parked: { runner: WRITES, reader: ['SELECT'] },
  held: { runner: WRITES, reader: ['SELECT'] },
  stopped: { runner: WRITES, reader: ['SELECT'] },
  migration: { runner: ['SELECT'], reader: ['SELECT'] },
  set_aside: { runner: ['SELECT', 'DELETE'], reader: ['SELECT'] },
  copy_range: { runner: WRITES, reader: ['SELECT'] },
  guard: { runner: ['SELECT', 'INSERT', 'UPDATE'], reader: ['SELECT'] },
  cutover: { runner: ['SELECT'], reader: ['SELECT'] },
  closed: { runner: [], reader: [] },
  sequence: { runner: WRITES, reader: ['SELECT'] },
  carried: { runner: WRITES, reader: ['SELECT'] },
};

/**
 * The rights that a role needs on an object of ours, and not one more: the compiler grants them, the runner asks for them before it
 * begins. `relays`: the database is the target of one sync and the source of another, or a member of a multi-master sync, so that rounds record there what they write.
 */
export function rightsOn({ kind, name }: Subject, role: PlannedRole, relays: boolean): readonly string[] {
  const bare = name.replace(/^sarrio\."?/, '');
  const forRunner = (rights: readonly string[]): readonly string[] => (role === 'runner' ? rights : []);
  switch (kind) {
    case 'schema':
      return ['USAGE'];
    case 'sequence':
      return forRunner(['SELECT', 'UPDATE']);
    case 'function':
      return forRunner(/^(wake|mark_filled|note_index|set_indexes_aside|put_index_back)\(/.test(bare) ? ['EXECUTE'] : []);
    case 'table':
      if (bare.startsWith('delta_')) return role === 'runner' && relays ? ['SELECT', 'INSERT', 'UPDATE'] : ['SELECT'];
      if (/^segment\d_/.test(bare)) return forRunner(['SELECT', 'TRUNCATE']);
      return TABLES[bare]?.[role] ?? [];
    default:
      return [];
  }
}

/** Whether a table of the database is both written by rounds and captured. */
export function relaysIn(shapes: Readonly<Record<string, TableShape>>): boolean {
  return Object.values(shapes).some(({ roles }) => roles.length > 1);
}
