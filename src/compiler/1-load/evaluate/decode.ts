import type { ConfigPath } from '../fault.ts';
import type { Encoded } from './evaluator.ts';

/** The value again. A function comes as one that is never called: its text is taken from the source. */
export function decode(encoded: Encoded): unknown {
  const functions = new Map<number, () => void>();
  const visit = (each: Encoded): unknown => {
    switch (each.t) {
      case 'plain':
        return each.v;
      case 'number':
        return Number(each.v);
      case 'bigint':
        return BigInt(each.v);
      case 'undefined':
        return undefined;
      case 'symbol':
        return Symbol('of the config');
      case 'function': {
        const known = functions.get(each.v) ?? (() => undefined);
        functions.set(each.v, known);
        return known;
      }
      case 'list':
        return each.v.map(visit);
      case 'object':
        return Object.fromEntries(each.v.map(([key, value]) => [key, visit(value)]));
    }
  };
  return visit(encoded);
}

/** The way to the first place where two values differ, or null where they are the same. */
export function difference(one: Encoded, other: Encoded): ConfigPath | null {
  if (one.t === 'list' && other.t === 'list') {
    const place = one.v.findIndex((item, index) => JSON.stringify(item) !== JSON.stringify(other.v[index]));
    return place < 0 ? (one.v.length === other.v.length ? null : []) : within(place, one.v[place], other.v[place]);
  }
  if (one.t === 'object' && other.t === 'object') {
    const place = one.v.findIndex((entry, index) => JSON.stringify(entry) !== JSON.stringify(other.v[index]));
    if (place < 0) return one.v.length === other.v.length ? null : [];
    const [key, value] = one.v[place] ?? ['', undefined];
    const [otherKey, otherValue] = other.v[place] ?? ['', undefined];
    return key === otherKey ? within(key, value, otherValue) : [];
  }
  return JSON.stringify(one) === JSON.stringify(other) ? null : [];
}

function within(step: string | number, one: Encoded | undefined, other: Encoded | undefined): ConfigPath {
  return [step, ...(one && other ? (difference(one, other) ?? []) : [])];
}
