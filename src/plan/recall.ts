/** What a value is made of: parts that are never changed, by their identity, and whatever else matters, as words. */
export type Made = { readonly about: object; readonly kind: string; readonly words: string };

/**
 * Gives what was made before of the same, or makes it: for a compilation that comes after another one, of which little has changed. The
 * kind says which value it is, so that two makers never take each other's.
 */
export type Recall = <Value>(made: Made, make: () => Value) => Value;

/** Remembers nothing. */
export const anew: Recall = (_, make) => make();

/** Remembers the last value of each kind, for as long as what it is about is held by somebody. */
export function recalling(): Recall {
  const known = new WeakMap<object, Map<string, { readonly words: string; readonly value: unknown }>>();
  return <Value>({ about, kind, words }: Made, make: () => Value): Value => {
    const kinds = known.get(about) ?? new Map<string, { readonly words: string; readonly value: unknown }>();
    const last = kinds.get(kind);
    if (last?.words === words) return last.value as Value;
    const value = make();
    known.set(about, kinds.set(kind, { words, value }));
    return value;
  };
}

/** How many parts are worth to be kept apart. */
const MANY = 32;

/** Whether a part of something is one of so many that what is made of it is remembered by itself. */
export function isPartOfMany(part: unknown, count: number, recall: Recall): part is object {
  return count >= MANY && recall !== anew && typeof part === 'object' && part !== null;
}
