import { covering, type Position, sameHistory, union } from '../plan/position.ts';

/** What a present member's snapshot shows of itself and of its watermarks. */
export type Seen = {
  /** Index in the sync's order of databases. */
  readonly member: number;
  /** Its own snapshot. */
  readonly position: Position;
  /** By origin (index): how far it has applied each other member, present or not. */
  readonly watermarks: ReadonlyMap<number, Position>;
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
export function watermarksAfter(target: Seen, present: readonly Seen[], own: ReadonlyMap<number, bigint>): ReadonlyMap<number, Position> {
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

/** Of different histories the later one counts: transaction ids mean nothing across. */
function joined(known: Position | undefined, more: Position): Position {
  if (known === undefined) return more;
  if (sameHistory(known.history, more.history)) return union(known, more);
  return known.history.timeline > more.history.timeline ? known : more;
}
