import { type ConflictRule, lastRule } from '../plan/conflict-rule.ts';

/** Rules that compare times of different databases. */
export function decidesByTime(rule: ConflictRule): boolean {
  const { strategy } = lastRule(rule);
  return strategy === 'last-update-wins' || strategy === 'first-update-wins';
}

/**
 * How far the clocks of the members are apart at least, in microseconds. They were read at moments that may lie `spreadMicros` from each
 * other; what this explains does not count.
 */
export function clockSkew(clocks: readonly bigint[], spreadMicros: bigint): bigint {
  const ordered = [...clocks].sort((a, b) => (a < b ? -1 : 1));
  const [earliest = 0n] = ordered;
  const latest = ordered.at(-1) ?? 0n;
  const apart = latest - earliest - spreadMicros;
  return apart > 0n ? apart : 0n;
}
