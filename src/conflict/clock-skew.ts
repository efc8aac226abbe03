import type { ConflictRule } from '../plan/conflict-rule.ts';

/** Rules that compare times of different databases. */
export function decidesByTime(rule: ConflictRule): boolean {
  return rule.strategy === 'last-update-wins' || rule.strategy === 'first-update-wins';
}

/**
 * How far the clocks of the members are apart at least, in microseconds. They were read at moments that may lie `spreadMicros` from each
 * other; what this explains does not count.
 */
export function clockSkew(clocks: readonly bigint[], spreadMicros: bigint): bigint {
  const [first, ...rest] = clocks;
  if (first === undefined) return 0n;
  const latest = rest.reduce((most, each) => (each > most ? each : most), first);
  const earliest = rest.reduce((least, each) => (each < least ? each : least), first);
  const apart = latest - earliest - spreadMicros;
  return apart > 0n ? apart : 0n;
}
