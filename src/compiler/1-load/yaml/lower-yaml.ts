import { REFERENCE } from './published-schema.ts';

/** The value as a config in TypeScript would have it: where a function is meant there is one, the same for the same reference. */
export type LoweredYaml = {
  readonly value: unknown;
  /** What each function stands for: `./rules/customers.ts#mergeCustomers`. */
  readonly references: ReadonlyMap<unknown, string>;
};

export function lowerYaml(value: unknown): LoweredYaml {
  const functions = new Map<string, () => void>();
  const lower = (each: unknown, key: string | number): unknown => {
    if (typeof each === 'string' && (key === 'onConflict' || key === 'onException') && new RegExp(REFERENCE).test(each)) {
      const known = functions.get(each) ?? (() => undefined);
      functions.set(each, known);
      return known;
    }
    if (Array.isArray(each)) return each.map(lower);
    if (typeof each !== 'object' || each === null) return each;
    return Object.fromEntries(Object.entries(each).map(([name, part]) => [name, lower(part, name)]));
  };
  const lowered = lower(value, '');
  return { value: lowered, references: new Map([...functions].map(([reference, placeholder]) => [placeholder, reference])) };
}
