import { type Bigint, type Conflict, type ConflictHandler, merge, remove as gone, take } from 'sarrio';
import { longer as preferred } from './texts.ts';

export type Customer = {
  readonly id: Bigint;
  readonly name: string;
  readonly email: string | null;
  readonly tier: 'none' | 'silver' | 'gold';
  readonly points: Bigint;
  readonly active: boolean;
};

/** Tiers by rank. */
const RANK = { none: 0, silver: 1, gold: 2 } as const;
const LIMIT = 10n ** 6n, FALLBACK = 'none';

// Not used by the handler, so it stays here.
export const LABELS = new Map([['gold', 'Gold']]);

/** Both sides change customers: the better tier, the longer name, the higher points. */
export const mergeCustomers: ConflictHandler<Customer> = (conflict: Conflict<Customer>) => {
  const rows = conflict.versions.flatMap(({ row }) => (row === null ? [] : [row]));
  const [one, other] = rows;

  // Deleted on one side: deleted everywhere.
  if (!one || !other) return gone();
  if (!one.active && !other.active) return take(conflict.latest.database);
  return merge({
    tier: better(one.tier, other.tier) ?? FALLBACK,
    name: preferred(one.name, other.name),
    points: highest(rows.map((row) => BigInt(row.points))),
  });
};

function better<T extends keyof typeof RANK>(one: T, other: T): T {
  return RANK[one] >= RANK[other] ? one : other;
}

function highest(values: readonly bigint[]): bigint {
  let best = 0n;
  for (const value of values) if (value > best) best = value;
  return (best as bigint) > LIMIT ? LIMIT : best!;
}
