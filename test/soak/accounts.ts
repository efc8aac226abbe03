import type { Told } from './traced-writers.ts';
import type { Traced } from './traced.sql.ts';

/** A conflict as one member recorded it. */
export type Recorded = {
  /** That member. */
  readonly member: string;
  readonly id: string;
  readonly relation: string;
  readonly key: string;
  readonly kind: string;
  readonly decision: string;
  readonly versions: readonly RecordedVersion[];
  /** Microseconds since 1970. */
  readonly at: string;
};

export type RecordedVersion = {
  readonly database: string;
  /** Of the change, in microseconds since 1970. */
  readonly at?: string;
  readonly op: string;
  readonly row: Readonly<Record<string, string | null>> | null;
};

/** What all members hold when everything has been carried. */
export type Ending = {
  readonly rows: ReadonlyMap<Traced, ReadonlyMap<number, string>>;
  readonly gone: readonly { readonly table: string; readonly id: number; readonly trail: string }[];
  /** From all members, so each as often as it was recorded. */
  readonly conflicts: readonly Recorded[];
};

/** Every write that a client was told to be on disk is in a row, was taken away knowingly, or was presented to a recorded decision. */
export function lostWrites({ tokens }: Told, { rows, gone, conflicts }: Ending): readonly string[] {
  return [...tokens].flatMap(([table, told]) => {
    const trails = [...(rows.get(table)?.values() ?? [])];
    // What is merged is never taken away, and no version of it may lose.
    if (table !== 'merged') {
      trails.push(...gone.filter((each) => each.table === table).map(({ trail }) => trail));
      for (const { versions } of conflictsOf(conflicts, table)) trails.push(...versions.map(({ row }) => row?.['trail'] ?? ''));
    }
    const there = new Set(trails.flatMap((trail) => trail.split(' ')));
    return told.filter((token) => !there.has(token)).map((token) => `lost: ${token} of ${table}`);
  });
}

/** A row that holds a write which the last decision about it overruled. */
export function returnedLosers({ rows, conflicts }: Ending): readonly string[] {
  return [...rows].flatMap(([table, byKey]) => {
    if (table === 'merged') return [];
    const records = byKeyOf(conflicts, table);
    return [...byKey].flatMap(([key, trail]) =>
      trail.split(' ').flatMap((token) => {
        const last = records.get(String(key))?.findLast(({ versions }) => versions.some(({ row }) => holds(row?.['trail'], token)));
        return last === undefined || holds(winnerOf(last)?.row?.['trail'], token)
          ? []
          : [`a loser returned: ${token} in ${table} ${key}, overruled by ${last.id}; ${historyOf(records.get(String(key)) ?? [], trail)}`];
      }),
    );
  });
}

/** How a row came to be what it is, for whoever looks for the cause. */
function historyOf(records: readonly Recorded[], trail: string): string {
  const lines = records.map(({ id, at, decision, versions }) => {
    const shown = versions.map(({ database, op, row }) => `${database} ${op} ${row?.['trail'] ?? '-'}`);
    return `\n    ${id} at ${at}: ${shown.join(' | ')}: ${decision}`;
  });
  return `ends as ${trail}; its conflicts:${[...new Set(lines)].join('')}`;
}

/** A row that was taken away is back, in the state that was taken away or what was made of it, and no recorded decision overruled that. */
export function returnedDeletes({ rows, gone, conflicts }: Ending): readonly string[] {
  return [...rows].flatMap(([table, byKey]) => {
    const records = byKeyOf(conflicts, table);
    return gone.flatMap((each) => {
      const last = each.trail.split(' ').at(-1) ?? '';
      if (each.table !== table || !holds(byKey.get(each.id), last)) return [];
      const isOverruled = records.get(String(each.id))?.some(({ versions }) => versions.some(({ row }) => row === null)) ?? false;
      return isOverruled ? [] : [`a deleted row returned: ${table} ${each.id} with ${last}`];
    });
  });
}

/**
 * The same versions of a row decided by two decisions at one member, or one decision told in two ways. Members that did not hear of each
 * other (one was down, or lost the commit) may each decide what the others have decided: then nobody has both in its record, since whoever has
 * the one cannot be asked again. (`decidedApart` counts those.)
 */
export function decidedTwice({ conflicts }: Ending): readonly string[] {
  const byId = new Map<string, Set<string>>();
  for (const { id, relation, key, decision, versions } of conflicts) add(byId, id, JSON.stringify([relation, key, decision, versions]));
  return [
    ...[...byId].flatMap(([id, told]) => (told.size > 1 ? [`told in two ways: conflict ${id}`] : [])),
    ...severalOf(conflicts, ({ member, ...same }) => JSON.stringify([member, ...same.versions])).map(
      ([what, ids]) => `decided ${ids.size} times: ${what}: ${[...ids].join(', ')}`,
    ),
  ];
}

/** How many conflicts were decided by members that did not hear of each other. */
export function decidedApart({ conflicts }: Ending): number {
  return severalOf(conflicts, ({ versions }) => JSON.stringify(versions)).length;
}

type Same = { readonly member: string; readonly versions: readonly string[] };

/** Versions of a row with several decisions. Without a trail in them, rows may come to look again as they did before. */
function severalOf(conflicts: readonly Recorded[], nameOf: (same: Same) => string): readonly (readonly [string, ReadonlySet<string>])[] {
  const found = new Map<string, Set<string>>();
  for (const { id, member, relation, key, versions } of conflicts) {
    if (!versions.some(({ row }) => row && 'trail' in row)) continue;
    const rows = versions.map(versionText).sort();
    add(found, nameOf({ member, versions: [relation, key, ...rows] }), id);
  }
  return [...found].filter(([, ids]) => ids.size > 1);
}

/** A row may meet several deletions, each of them once; a decision for one carries its time on. */
function versionText({ row, at }: RecordedVersion): string {
  return row === null ? `deleted at ${at ?? 'some time'}` : JSON.stringify(row);
}

/** Conflicts in which a row met what it had been made of; and those of them, under a rule of times, that the older one won. */
export function metAncestors({ conflicts }: Ending): { readonly met: number; readonly left: readonly string[] } {
  const each = [...new Map(conflicts.map((conflict) => [conflict.id, conflict])).values()];
  const met = each.filter((conflict) => ancestorsIn(conflict).length > 0);
  const wrong = met.filter((conflict) => conflict.relation === 'public.latest' && ancestorsIn(conflict).includes(winnerOf(conflict)?.row?.['trail'] ?? ''));
  return { met: met.length, left: wrong.map(({ key, id }) => `an earlier version won against what was made of it: latest ${key}, conflict ${id}`) };
}

/** Trails that begin another one. */
function ancestorsIn({ versions }: Recorded): readonly string[] {
  const trails = versions.flatMap(({ row }) => row?.['trail'] ?? []);
  return trails.filter((trail) => trails.some((other) => other.startsWith(`${trail} `)));
}

function add(sets: Map<string, Set<string>>, name: string, value: string): void {
  sets.set(name, (sets.get(name) ?? new Set()).add(value));
}

function conflictsOf(conflicts: readonly Recorded[], table: string): readonly Recorded[] {
  return conflicts.filter(({ relation }) => relation === `public.${table}`);
}

/** In the order of their decisions. */
function byKeyOf(conflicts: readonly Recorded[], table: string): ReadonlyMap<string, readonly Recorded[]> {
  const inOrder = [...conflictsOf(conflicts, table)].sort((a, b) => (BigInt(a.at) < BigInt(b.at) ? -1 : 1));
  const found = new Map<string, Recorded[]>();
  for (const each of inOrder) {
    const known = found.get(each.key);
    if (known) known.push(each);
    else found.set(each.key, [each]);
  }
  return found;
}

function holds(trail: string | null | undefined, token: string): boolean {
  return (trail ?? '').split(' ').includes(token);
}

function winnerOf({ decision, versions }: Recorded): Recorded['versions'][number] | undefined {
  return versions.find(({ database }) => decision === `take ${database}`);
}
