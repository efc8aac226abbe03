import { type Change, changesFrom, changesJson } from '../../../src/conflict/change.ts';
import type { Marks } from '../../../src/conflict/bookkeeping.ts';
import { allNames, type ChangeName, hasSeen, type Knowledge, nameOf, namesNewTo } from '../../../src/conflict/change-names.ts';
import { historyNumber, isCovered, type Position } from '../../../src/plan/position.ts';
import type { Member, SettledRow, Span } from '../../../src/runner/8-round/masters/member.ts';
import { heldAfter } from '../apply.ts';
import { historyOf } from '../image.ts';

/** The one row of a table that is merged: a counter and two columns. */
export const COLUMNS = ['key', 'stock', 'a', 'b'] as const;

/** A member at one moment, as a value. */
export type Side = {
  readonly values: readonly string[];
  /** The transaction that wrote the row. */
  readonly entries: readonly Entry[];
  readonly watermarks: Marks;
  /** By table: where this one stands instead. */
  readonly held: ReadonlyMap<number, Marks>;
  readonly nextXid: bigint;
};

/** A row of the delta table. */
export type Entry = {
  readonly xid: bigint;
  readonly at: bigint;
  readonly columns: readonly string[];
  readonly amounts: Readonly<Record<string, string>>;
  /** What a round has brought; null for a change of an application. */
  readonly carried: readonly Change[] | null;
  /** The change that it stands for, where a round has brought it. */
  readonly name: ChangeName | null;
};

export const FIRST: Side = { values: ['k', '0', 'a0', 'b0'], entries: [], watermarks: new Map(), held: new Map(), nextXid: 100n };

/** An UPDATE of an application, as capture records it. */
export function updated(side: Side, values: readonly string[], at: bigint): Side {
  const entry = { xid: side.nextXid, at, ...difference(side.values, values), carried: null, name: null };
  return { ...side, values, entries: [...side.entries, entry], nextXid: side.nextXid + 1n };
}

/** What the statement that writes the entries records of the row that stands there and the one that comes. */
function difference(before: readonly string[], after: readonly string[]): Pick<Entry, 'columns' | 'amounts'> {
  const columns = COLUMNS.filter((_, place) => before[place] !== after[place]);
  return { columns, amounts: { stock: String(BigInt(after[1] ?? '0') - BigInt(before[1] ?? '0')) } };
}

export function positionOf(member: number, { nextXid }: Side): Position {
  return { history: historyOf(member), xmin: nextXid, xmax: nextXid, xip: [], extra: [] };
}

export function pendingFor({ entries }: Side, seen: Position): readonly Entry[] {
  return entries.filter(({ xid }) => !isCovered(seen, xid));
}

/** Bits of the members that have seen neither the entry nor the change that it names. */
export function pendingBits({ seenBy, knownBy }: Span, { xid, name }: Entry): number {
  const isNews = (target: number, seen: Position): boolean => !isCovered(seen, xid) && (name === null || !hasSeen(knownBy.get(target) ?? [], name));
  return [...seenBy].reduce((bits, [target, seen]) => (isNews(target, seen) ? bits | (1 << target) : bits), 0);
}

/** The changes that a member's entries stand for; between two nobody asks. */
export function namesOf(member: number, entries: readonly Entry[], { knownBy }: Span): readonly ChangeName[] | null {
  const origins = new Set([...knownBy.values()].flatMap((known) => known.map(({ origin }) => origin)));
  const isKnown = (name: ChangeName | null): name is ChangeName => name !== null && origins.has(BigInt(name.replace(/:.*/, '')));
  return allNames(
    entries.map(({ name, xid }) => [isKnown(name) ? name : nameOf(historyNumber(historyOf(member)), xid)]),
    16,
  );
}

/** As the statements of the plan gather them. */
export function changesOf(member: number, entries: readonly Entry[]): readonly Change[] {
  const own = entries.flatMap(({ xid, columns, amounts, carried }) => (carried === null ? [{ member, xid, columns, amounts }] : []));
  return changesFrom([...changesJson(own), ...entries.flatMap(({ carried }) => changesJson(carried ?? []))], ['stock']);
}

export type Aside = Pick<SettledRow, 'at' | 'isFresh' | 'carried' | 'names'> & { readonly values: readonly string[] };

export function asideOf({ row, at, isFresh, carried, names }: SettledRow, known: readonly Knowledge[]): Aside {
  return { values: row.values.map(String), at, isFresh, carried, names: namesNewTo(known, names) };
}

type Written = { readonly aside: Aside | null; readonly xid: bigint; readonly moved: Parameters<Member['apply']>[1] };

/** After a round's transaction. */
export function written(side: Side, { aside, xid, moved }: Written): Side {
  const stands = { watermarks: moved.watermarks, held: heldAfter(side.held, moved.moves) };
  if (aside === null) return { ...side, ...stands };
  const { at, carried, names, values } = aside;
  const named = names === null || names.length === 0 ? [null] : names;
  const entries = named.map((name) => ({ xid, at, ...difference(side.values, values), carried, name }));
  const isTold = aside.isFresh && (names?.length !== 0 || values.join() !== side.values.join());
  return { ...side, ...stands, values, entries: isTold ? [...side.entries, ...entries] : side.entries };
}
