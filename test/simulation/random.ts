/** Numbers from a seed: the same seed, the same run. */
export type Random = {
  /** 0 to below the limit. */
  readonly below: (limit: number) => number;
  readonly chance: (probability: number) => boolean;
  readonly pick: <T>(list: readonly T[]) => T;
  /** Some of the list, in its order. */
  readonly some: <T>(list: readonly T[], probability: number) => readonly T[];
};

export function randomFrom(seed: number): Random {
  const state = { value: seed >>> 0 };
  const next = (): number => {
    state.value = (state.value + 0x6d2b79f5) >>> 0;
    const a = Math.imul(state.value ^ (state.value >>> 15), state.value | 1);
    const b = a ^ (a + Math.imul(a ^ (a >>> 7), a | 61));
    return ((b ^ (b >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  const chance = (probability: number): boolean => next() < probability;
  return {
    below,
    chance,
    pick: (list) => {
      const found = list[below(list.length)];
      if (found === undefined) throw new Error('nothing to pick from');
      return found;
    },
    some: (list, probability) => list.filter(() => chance(probability)),
  };
}
