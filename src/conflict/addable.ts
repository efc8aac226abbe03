import type { Change, Contains } from './change.ts';
import type { Version } from './version.ts';

/** The changes of a version that a member's row does not contain; null where the two rows have nothing in common. */
export function lacking(version: Version, member: number, contains: Contains): readonly Change[] | null {
  const changes = (version.changes ?? []).map((change) => ({ change, isContained: contains(member, change) }));
  if (changes.some(({ change, isContained }) => isContained === null || (!isContained && change.columns === null))) return null;
  return changes.filter(({ isContained }) => !isContained).map(({ change }) => change);
}

/** What the others have that can be added to a member's row: each change once, however many have it. */
export function addable(candidates: readonly Version[], member: number, contains: Contains): readonly Change[] {
  const found = new Map<string, Change>();
  for (const version of candidates) {
    if (version.member === member || version.op === 'delete') continue;
    for (const change of lacking(version, member, contains) ?? []) {
      const name = `${change.member} ${change.xid}`;
      // Where it was made it is known best.
      if (!found.has(name) || change.member === version.member) found.set(name, change);
    }
  }
  return [...found.values()];
}
