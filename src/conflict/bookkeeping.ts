import { beforeAll, covering, formatPosition, type Position, sameHistory, union } from '../plan/position.ts';

/** By origin (index): positions of one member. */
export type Marks = ReadonlyMap<number, Position>;

/** How far a member has applied the others. */
export type Applied = {
  /** Each other member, present or not. */
  readonly watermarks: Marks;
  /** By table: positions that stand in the place of the watermarks, where a table did not move with them. */
  readonly held: ReadonlyMap<number, Marks>;
};

/** What a present member's snapshot shows of itself and of its watermarks. */
export type Seen = Applied & {
  /** Index in the sync's order of databases. */
  readonly member: number;
  /** Its own snapshot. */
  readonly position: Position;
};

/**
 * Whether what a round writes at a member is recorded there as a change that the sync itself has to carry on: each decision, so that
 * whoever commits it first dominates those that did not; with three members and more every row that is received, so that a member
 * which was away sees that it is about to overwrite something. (DESIGN section 8.)
 */
export function isFresh(row: { readonly isConflict: boolean }, memberCount: number): boolean {
  return row.isConflict || memberCount > 2;
}

/**
 * The watermarks that a member commits in a round, by origin. Of those present: what they had before, their snapshot, and their own
 * transaction of this round if it writes fresh entries. Of those away: whatever the others present have of them, since what they have
 * pending is applied here in this very transaction.
 *
 * @param own transaction of each present member that writes fresh entries
 */
export function watermarksAfter(target: Pick<Seen, 'member' | 'position' | 'watermarks'>, present: readonly Seen[], own: ReadonlyMap<number, bigint>): Marks {
  const others = present.filter(({ member }) => member !== target.member);
  const moved = new Map(target.watermarks);
  for (const other of others) {
    for (const [origin, position] of other.watermarks) if (origin !== target.member) moved.set(origin, joined(moved.get(origin), position));
  }
  for (const { member, position } of others) {
    const seen = joined(moved.get(member), position);
    const xid = own.get(member);
    moved.set(member, xid === undefined ? seen : covering(seen, xid));
  }
  return moved;
}

/**
 * What several syncs have noted of one member, each for itself, as one: what any of them has seen its rows embody. A table stands where the
 * positions of all of them lead to.
 */
export function united(parts: readonly Applied[]): Applied {
  const watermarks = unionOf(parts.map((part) => part.watermarks));
  const tables = new Set(parts.flatMap(({ held }) => [...held.keys()]));
  const held = [...tables].map((table) => {
    const marks = unionOf(parts.map((part) => marksOfTable(part, table)));
    return [table, new Map([...marks].filter(([origin, mark]) => !isAt(mark, watermarks.get(origin))))] as const;
  });
  return { watermarks, held: new Map(held.filter(([, marks]) => marks.size > 0)) };
}

function unionOf(parts: readonly Marks[]): Marks {
  const all = new Map<number, Position>();
  for (const part of parts) for (const [origin, position] of part) all.set(origin, joined(all.get(origin), position));
  return new Map([...all].sort(([a], [b]) => a - b));
}

function isAt(mark: Position, watermark: Position | undefined): boolean {
  return watermark !== undefined && formatPosition(mark) === formatPosition(watermark);
}

/** How far a member has applied one table: the table is a sync of its own, with the held positions as its watermarks. */
export function marksOfTable({ watermarks, held }: Applied, table: number): Marks {
  const own = held.get(table);
  return own === undefined ? watermarks : new Map([...watermarks, ...own]);
}

/** What a member shows of one table. */
export function seenOfTable(seen: Seen, table: number): Seen {
  return { ...seen, watermarks: marksOfTable(seen, table) };
}

/**
 * The held positions of a table after a round that moves the member's watermarks to `moved`. A table that sat the round out stays
 * exactly where it was. One that took part moves as a sync of its own would, and follows the watermarks again where that leads to them.
 */
export function heldAfter(target: Seen, moved: Marks, { table, tableMoved }: { readonly table: number; readonly tableMoved: Marks | null }): Marks {
  const marks = tableMoved ?? marksOfTable(target, table);
  const held = [...moved].flatMap(([origin, watermark]) => {
    const mark = marks.get(origin) ?? beforeAll(watermark.history);
    return formatPosition(mark) === formatPosition(watermark) ? [] : [[origin, mark] as const];
  });
  return new Map(held);
}

/** Of different histories the later one counts: transaction ids mean nothing across. */
function joined(known: Position | undefined, more: Position): Position {
  if (known === undefined) return more;
  if (sameHistory(known.history, more.history)) return union(known, more);
  return known.history.timeline > more.history.timeline ? known : more;
}
