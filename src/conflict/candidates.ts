import type { Version } from './version.ts';

/**
 * The versions that no other one dominates. A version dominates another one whose member has not seen it, while its own member has
 * seen the other: it was made, or chosen, later. (DESIGN section 8; the model in test/simulation shows that there is always one.)
 */
export function candidates(versions: readonly Version[]): readonly Version[] {
  return versions.filter((version) => !versions.some((other) => dominates(other, version)));
}

/** More than one candidate, and their rows are not the same. */
export function isConflict(found: readonly Version[]): boolean {
  return new Set(found.map(({ image }) => image)).size > 1;
}

function dominates(one: Version, other: Version): boolean {
  return isPendingAt(one, other.member) && !isPendingAt(other, one.member);
}

function isPendingAt({ pendingAt }: Version, member: number): boolean {
  return (pendingAt & (1 << member)) !== 0;
}
