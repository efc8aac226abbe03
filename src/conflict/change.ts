/**
 * What one transaction of one member did to a row, for tables whose rule asks for more than the key. The members name it by where it was
 * made, so that each can tell whether it has it, by whatever way it came.
 */
export type Change = {
  /** Index of the member where it was made. */
  readonly member: number;
  /** Its transaction there. */
  readonly xid: bigint;
  /** Columns that it changed; null where the row was inserted or deleted, or nobody knows: then the row has nothing in common with what it was before. */
  readonly columns: readonly string[] | null;
  /** By counter, what was added to it: decimal text. */
  readonly amounts: Readonly<Record<string, string>>;
};

/** Whether a member's row contains a change (or a decision has chosen without it); null where that cannot be told. */
export type Contains = (member: number, change: Change) => boolean | null;

/** As changes stand in delta tables and travel with rows: member, transaction, columns, amounts. */
export type ChangeJson = readonly [number, string, readonly string[] | null, Readonly<Record<string, string>> | null];

/** As one group. */
export function changesJson(changes: readonly Change[]): readonly (readonly ChangeJson[])[] {
  return changes.length === 0 ? [] : [changes.map(({ member, xid, columns, amounts }) => [member, String(xid), columns, amounts])];
}

/**
 * Changes in groups: what one look at a member's own entries gave. Within a group several entries of one transaction are one change, its
 * columns united and its amounts added up. The same change in another group has come by another way, and is the same, but for
 * columns that a decision on the way there has chosen without: nobody goes by it in those any more.
 *
 * @param counters of the rule: an entry that changed columns and lacks the amount of one is from before that was a counter
 */
export function changesFrom(groups: readonly (readonly ChangeJson[])[], counters: readonly string[]): readonly Change[] {
  const found = new Map<string, Change>();
  for (const group of groups) {
    for (const [name, change] of oneGroup(group, counters)) {
      const known = found.get(name);
      found.set(name, known === undefined ? change : { ...known, columns: inBoth(known.columns, change.columns) });
    }
  }
  return [...found.values()];
}

function inBoth(one: Change['columns'], other: Change['columns']): Change['columns'] {
  return one === null || other === null ? null : one.filter((name) => other.includes(name));
}

function oneGroup(group: readonly ChangeJson[], counters: readonly string[]): ReadonlyMap<string, Change> {
  const found = new Map<string, Change>();
  for (const [member, xid, columns, amounts] of group) {
    const name = `${member} ${xid}`;
    const known = found.get(name);
    const isCounted = columns?.length === 0 || counters.every((counter) => amounts?.[counter] !== undefined);
    const change: Change = { member, xid: BigInt(xid), columns: isCounted ? columns : null, amounts: amounts ?? {} };
    found.set(name, known === undefined ? change : both(known, change));
  }
  return found;
}

function both(one: Change, other: Change): Change {
  const columns = one.columns === null || other.columns === null ? null : [...new Set([...one.columns, ...other.columns])];
  const names = new Set([...Object.keys(one.amounts), ...Object.keys(other.amounts)]);
  const amounts = Object.fromEntries([...names].map((name) => [name, added(one.amounts[name] ?? '0', other.amounts[name] ?? '0')]));
  return { ...one, columns, amounts };
}

/** The exact sum of two decimal texts, to the scale of the finer one; null where one of them is no number that can be added to. */
export function sumOf(one: string, other: string): string | null {
  const [a, b] = [decimal(one), decimal(other)];
  if (a === null || b === null) return null;
  const scale = Math.max(a.scale, b.scale);
  const sum = a.digits * 10n ** BigInt(scale - a.scale) + b.digits * 10n ** BigInt(scale - b.scale);
  const text = String(sum < 0n ? -sum : sum).padStart(scale + 1, '0');
  const whole = text.slice(0, text.length - scale);
  return `${sum < 0n ? '-' : ''}${scale === 0 ? whole : `${whole}.${text.slice(-scale)}`}`;
}

/** NaN and infinity stay what they are. */
function added(one: string, other: string): string {
  return sumOf(one, other) ?? 'NaN';
}

function decimal(text: string): { readonly digits: bigint; readonly scale: number } | null {
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
  if (match === null) return null;
  const [, sign = '', whole = '', fraction = ''] = match;
  const digits = BigInt(whole + fraction);
  return { digits: sign === '-' ? -digits : digits, scale: fraction.length };
}
