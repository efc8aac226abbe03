import type { Counting } from './look.ts';

/** What is to be done with a sequence of a target: nothing, to set it, or nothing that would be right. */
export type Carrying =
  | { readonly kind: 'enough' }
  | { readonly kind: 'set'; readonly value: bigint; readonly isCalled: boolean }
  | { readonly kind: 'cannot'; readonly reason: string };

/** Of what the source's sequence has left, a margin takes a hundredth at most: near its end a target must not come to it first. */
const SHARE = 100n;

/**
 * Brings the target's sequence to `margin` values beyond what the source's has given, once less than half of them is left; with no
 * margin, exactly to where the source's is. Never back.
 */
export function carryTo(source: Counting, target: Counting, margin: bigint): Carrying {
  const reason = unfit(source, target);
  if (reason !== null) return { kind: 'cannot', reason };
  const up = source.increment > 0n;
  const steps = (distance: bigint): bigint => distance / source.increment;
  const fitting = smaller(margin, steps((up ? source.most : source.least) - source.given) / SHARE);
  const ahead = steps(target.given - source.given);
  if (fitting <= 0n) return isBehind(source, target) ? bounded(target, source.last, source.isCalled) : { kind: 'enough' };
  if (ahead * 2n >= fitting) return { kind: 'enough' };
  return bounded(target, source.given + fitting * source.increment, true);
}

/** The nearest value that leaves nothing of the columns to come, beyond what `carryTo` asks for. */
export function beyond(target: Counting, extremes: { readonly highest: bigint | null; readonly lowest: bigint | null }): Carrying {
  const taken = target.increment > 0n ? extremes.highest : extremes.lowest;
  if (taken === null) return { kind: 'enough' };
  const isTaken = target.increment > 0n ? taken > target.given : taken < target.given;
  return isTaken ? bounded(target, taken, true) : { kind: 'enough' };
}

function unfit(source: Counting, target: Counting): string | null {
  if (source.cycles) return "the source's sequence begins again at its end (CYCLE), so that nothing is beyond what it has given";
  if (target.cycles) return 'it begins again at its end (CYCLE), so that nothing is beyond what it has given';
  if (source.increment > 0n === target.increment > 0n) return null;
  return `it counts by ${target.increment}, the source's by ${source.increment}: in opposite directions`;
}

function isBehind(source: Counting, target: Counting): boolean {
  const up = source.increment > 0n;
  if (source.last === target.last) return source.isCalled && !target.isCalled;
  return up ? source.last > target.last : source.last < target.last;
}

function bounded(target: Counting, value: bigint, isCalled: boolean): Carrying {
  if (value < target.least || value > target.most) {
    return { kind: 'cannot', reason: `it ends at ${target.increment > 0n ? target.most : target.least}, before ${value}, to which it would be brought` };
  }
  return { kind: 'set', value, isCalled };
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
