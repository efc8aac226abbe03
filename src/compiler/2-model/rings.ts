import { byCodeUnit } from '../../plan/canonical.ts';
import { displayName } from '../../sql/quote.ts';
import type { ModelMultiMaster, ModelSync } from './model.ts';

/**
 * Multi-master syncs that carry a table round in a ring: a change reaches a database by more than one way. They keep one account of what
 * each database has seen, whichever of them it came by.
 */
export type ModelRing = {
  /** What marks their entries in delta tables. No sync is called so. */
  readonly account: string;
  /** Ordered by name. */
  readonly syncs: readonly ModelMultiMaster[];
  /** Of all of them, in the order of the syncs and of their members. */
  readonly databases: readonly string[];
};

/** Every ring of a model; a sync is in one of them at most. */
export function ringsOf(syncs: readonly ModelSync[]): readonly ModelRing[] {
  const rings: Set<ModelMultiMaster>[] = [];
  for (const carriers of carriersByTable(syncs).values()) {
    for (const found of connected(coreOf(carriers))) {
      const joined = rings.filter((ring) => found.some((sync) => ring.has(sync)));
      for (const ring of joined) rings.splice(rings.indexOf(ring), 1);
      rings.push(new Set([...joined.flatMap((ring) => [...ring]), ...found]));
    }
  }
  return rings.map((ring) => {
    const ordered = [...ring].sort((one, other) => byCodeUnit(one.name, other.name));
    return { account: `ring:${ordered[0]?.name}`, syncs: ordered, databases: [...new Set(ordered.flatMap(({ members }) => members))] };
  });
}

/** The ring that a sync is part of. */
export function ringOf(syncs: readonly ModelSync[], sync: ModelMultiMaster): ModelRing | null {
  return ringsOf(syncs).find((ring) => ring.syncs.includes(sync)) ?? null;
}

/** Members have a table under one name. */
function carriersByTable(syncs: readonly ModelSync[]): ReadonlyMap<string, readonly ModelMultiMaster[]> {
  const carriers = new Map<string, ModelMultiMaster[]>();
  for (const sync of syncs) {
    if (sync.mode !== 'multi-master') continue;
    for (const { reference } of sync.tables) {
      const table = displayName(reference.source);
      carriers.set(table, [...(carriers.get(table) ?? []), sync]);
    }
  }
  return carriers;
}

/** What is left of the syncs when those are taken away, again and again, that hang on the others by one database only. */
function coreOf(syncs: readonly ModelMultiMaster[]): readonly ModelMultiMaster[] {
  const isShared = (member: string): boolean => syncs.filter(({ members }) => members.includes(member)).length > 1;
  const left = syncs.filter(({ members }) => members.filter(isShared).length > 1);
  return left.length === syncs.length ? left : coreOf(left);
}

function connected(syncs: readonly ModelMultiMaster[]): readonly (readonly ModelMultiMaster[])[] {
  const groups: (readonly ModelMultiMaster[])[] = [];
  for (const sync of syncs) {
    const near = groups.filter((group) => group.some(({ members }) => members.some((member) => sync.members.includes(member))));
    for (const group of near) groups.splice(groups.indexOf(group), 1);
    groups.push([...near.flat(), sync]);
  }
  return groups;
}
