import type { NamedUniqueRule, UniqueRule } from '../plan/unique-rule.ts';

/** A row that holds a unique value which another row holds, too. */
export type ClashingRow = {
  /** The same for the same row. */
  readonly id: string;
  /** Index of the member whose row it is. */
  readonly member: number;
  /** When it was changed last, in microseconds since 1970; null when that is so long ago that everybody has seen it. */
  readonly at: bigint | null;
};

/** How the kind of such a conflict begins in the record; the index follows. */
export const UNIQUE_KIND = 'unique ';

/** How the reason begins for which such a row is parked: it names keys and no other values, as a server's error might. */
export const OWN_ERROR = 'the unique index ';

/** Two rows, by their ids, that cannot both stand. */
export type Clash = readonly [string, string];

export type Clashes = { readonly rows: readonly ClashingRow[]; readonly clashes: readonly Clash[]; readonly databases: readonly string[] };

/** Rules that compare times of different databases. */
export function decidesClashesByTime({ strategy }: UniqueRule): boolean {
  return strategy === 'keep-earliest' || strategy === 'keep-latest';
}

/**
 * The rows that have to go. Rows are taken in the order of the rule, and each stays unless one that stays is in its way: total, whatever
 * the order in which rows and clashes were found, and never more than have to go. Under `park` all of them go.
 */
export function clashLosers({ rows, clashes, databases }: Clashes, rule: NamedUniqueRule): ReadonlySet<string> {
  const inTheWay = new Map<string, Set<string>>();
  for (const [one, other] of clashes.flatMap(([a, b]): readonly Clash[] => [
    [a, b],
    [b, a],
  ]))
    inTheWay.set(one, (inTheWay.get(one) ?? new Set()).add(other));
  if (rule.strategy === 'park') return new Set(inTheWay.keys());
  const stay = new Set<string>();
  for (const { id } of [...rows].sort(orderOf(rule, databases))) if (![...(inTheWay.get(id) ?? [])].some((other) => stay.has(other))) stay.add(id);
  return new Set(rows.map(({ id }) => id).filter((id) => !stay.has(id)));
}

const byTime: Order = (one, other) => Number((one.at ?? -1n) - (other.at ?? -1n) > 0n) - Number((one.at ?? -1n) - (other.at ?? -1n) < 0n);
const byPlace: Order = (one, other) => one.member - other.member || (one.id < other.id ? -1 : one.id > other.id ? 1 : 0);

/** The earlier row first; at the same time by member, then by key. */
export const byRank: Order = (one, other) => byTime(one, other) || byPlace(one, other);

type Order = (one: ClashingRow, other: ClashingRow) => number;

/** What everybody has seen is older than what not everybody has. At the same time the database that the config names first, then the key. */
function orderOf(rule: NamedUniqueRule, databases: readonly string[]): Order {
  if (rule.strategy === 'keep-latest') return (one, other) => byTime(other, one) || byPlace(one, other);
  if (rule.strategy !== 'prefer') return (one, other) => byTime(one, other) || byPlace(one, other);
  const order = [...rule.databases, ...databases];
  const rank = ({ member }: ClashingRow): number => order.indexOf(databases[member] ?? '');
  return (one, other) => rank(one) - rank(other) || byTime(one, other) || byPlace(one, other);
}
