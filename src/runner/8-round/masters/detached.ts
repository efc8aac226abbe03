import { failure } from '../../../plan/errors.ts';
import { readDetached } from './masters.sql.ts';
import { drop, type Slot } from './slot.ts';

/**
 * Members that one of the others has given up on, with who, when and why: what came since may be purged there, so they take part again only
 * once they are copied anew. One that is given up on itself has no say.
 */
export async function detachedMembers(sync: string, slots: readonly Slot[]): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  for (const slot of slots) {
    if (found.has(slot.name)) continue;
    for (const { target, reason } of await detachedAt(sync, slot)) {
      if (!found.has(target)) found.set(target, `detached at ${slot.name} since ${reason}`);
    }
  }
  return found;
}

/** A member that does not answer is taken out; without it nothing is joined that it has given up on, since each pair is asked again. */
async function detachedAt(sync: string, slot: Slot): Promise<readonly { readonly target: string; readonly reason: string }[]> {
  if (slot.live === null) return [];
  try {
    const { rows } = await slot.live.source.query(readDetached, [sync]);
    return rows.map((row) => ({ target: row['target'] ?? '', reason: `${row['detached_at']}: ${row['detached_reason'] ?? ''}` }));
  } catch (error) {
    drop(slot, error);
    return [];
  }
}

/** For a run that should end by itself: it does not wait for a copy. */
export function memberDetached(sync: string, member: string, reason: string): Error {
  return failure('refused', {
    code: 'SAR613',
    where: `database ${member}`,
    message: `it takes no part in sync ${sync}: ${reason}`,
    hint: `To copy its tables anew, without what was written there and has reached nobody: sarrio copy --sync ${sync} --target ${member} --replace`,
  });
}
