import { type ConflictRule, recordedFor } from '../plan/conflict-rule.ts';
import { historyNumber, isCovered, type History, type Position } from '../plan/position.ts';

/** Names one change: `<number of the history in which it was made>:<transaction id there>`. */
export type ChangeName = string;

/**
 * Rows that embody more changes go without names. Each name is an entry at every member that receives the row, so that naming them all
 * costs there what the changes cost where they were made.
 */
export const MAX_NAMES = 256;

/** The same where a rule merges: there each of the entries carries what all of the changes did. */
const MAX_CARRYING_NAMES = 16;

export function mostNames(rule: ConflictRule): number {
  return recordedFor(rule) === null ? MAX_NAMES : MAX_CARRYING_NAMES;
}

/** What a member has seen of the changes that were made in one history. */
export type Knowledge = {
  /** Number of the history. */
  readonly origin: bigint;
  /** Null: everything. */
  readonly position: Position | null;
  /** Older transactions count as not seen, whatever the position says. */
  readonly since: bigint;
};

/** What one member's rows hold. */
export type Knower = {
  readonly history: History;
  /** By origin (index). */
  readonly watermarks: ReadonlyMap<number, Position>;
  /** Its rows were copied from another member in this transaction: of what was changed here before, they need not hold anything. 0 when they never were. */
  readonly copiedXid: bigint;
};

export function nameOf(origin: bigint, xid: bigint): ChangeName {
  return `${origin}:${xid}`;
}

/** Watermarks move in the transaction that writes their rows, so what they cover is in the rows; and what was changed here is. */
export function knowledgeOf({ history, watermarks, copiedXid }: Knower): readonly Knowledge[] {
  const others = [...watermarks.values()].map((position) => ({ origin: historyNumber(position.history), position, since: 0n }));
  return [{ origin: historyNumber(history), position: null, since: copiedXid }, ...others];
}

/** A transaction of a history that a member does not follow (any more) is nothing that it has seen. */
export function hasSeen(knowledge: readonly Knowledge[], name: ChangeName): boolean {
  const [origin = 0n, xid = 0n] = name.split(':').map(BigInt);
  return knowledge.some((each) => each.origin === origin && xid >= each.since && (each.position === null || isCovered(each.position, xid)));
}

/**
 * The changes that a row embodies which was made of these entries or versions. Null, which says nothing and is always right, when one of
 * them does not name its own, or when there are too many.
 */
export function allNames(lists: readonly (readonly ChangeName[] | null)[], most = MAX_NAMES): readonly ChangeName[] | null {
  const all = new Set<ChangeName>();
  for (const names of lists) {
    if (names === null) return null;
    for (const name of names) all.add(name);
  }
  return all.size > most ? null : [...all].sort();
}

/** Of the changes that a row embodies those that are new to its receiver: what it has seen before has its own entries there. */
export function namesNewTo(knowledge: readonly Knowledge[], names: readonly ChangeName[] | null): readonly ChangeName[] | null {
  return names?.filter((name) => !hasSeen(knowledge, name)) ?? null;
}
