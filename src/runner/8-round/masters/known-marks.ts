import type { Applied, Marks, Seen } from '../../../conflict/bookkeeping.ts';
import { heldAfter, marksOfTable, seenOfTable, watermarksAfter } from '../../../conflict/bookkeeping.ts';
import { knowledgeOf } from '../../../conflict/change-names.ts';
import { beforeAll, formatPosition, intersection, type Position, sameHistory } from '../../../plan/position.ts';
import type { HeldMove, Look, LookOptions, Member, Span } from './member.ts';

/** What was read last of a member's watermarks, of its tables' held positions, and of when its rows were copied. */
export type Known = Applied & Pick<Look, 'copiedXid' | 'noted'>;

/** By target index. */
export type KnownMarks = Map<number, Known>;

/** Of a member of which nothing is known yet. Until it is known when its rows were copied, nothing that was changed there counts as seen by it. */
const NOTHING: Known = { watermarks: new Map(), held: new Map(), copiedXid: 2n ** 64n - 1n, noted: null };

type Present = { readonly members: readonly Member[]; readonly known: KnownMarks; readonly stopped: ReadonlySet<number> };

/**
 * From where a member is to be read: by all tables, and by those that stand elsewhere, unless they are stopped. What a table's entries name is
 * judged by the same positions as the entries themselves: those of the table.
 */
export function spansOf(present: Present, member: Member): Omit<LookOptions, 'lock' | 'keep'> {
  const others = present.members.filter(({ index }) => index !== member.index);
  const marksOf = ({ index }: Member): Known => present.known.get(index) ?? NOTHING;
  const span = (marks: (other: Member) => Marks): Span => {
    const seenBy = new Map(others.map((other) => [other.index, seenOf(member, marks(other))]));
    const knownBy = new Map(
      present.members.map((each) => [each.index, knowledgeOf({ history: each.history, watermarks: marks(each), copiedXid: marksOf(each).copiedXid })]),
    );
    return { from: intersection([...seenBy.values()]), seenBy, knownBy };
  };
  const apart = [...tablesHeld(present.members.map(marksOf))].filter((table) => !present.stopped.has(table)).sort((a, b) => a - b);
  const tables = new Map(apart.map((table) => [table, span((other) => marksOfTable(marksOf(other), table))]));
  return { ...span((other) => marksOf(other).watermarks), tables };
}

/** On a new timeline of the origin the same transaction ids mean other transactions: all kept changes are pending again. */
function seenOf({ index, history }: Member, marks: Marks): Position {
  const position = marks.get(index);
  return position !== undefined && sameHistory(position.history, history) ? position : beforeAll(history);
}

function tablesHeld(applied: readonly Applied[]): ReadonlySet<number> {
  return new Set(applied.flatMap(({ held }) => [...held].filter(([, marks]) => marks.size > 0).map(([table]) => table)));
}

/** Whether anything is another than was known when the counting began; it is known from now on. */
export function isNews(known: KnownMarks, looks: readonly Look[]): boolean {
  const news = looks.filter((look) => textOf(known.get(look.member)) !== textOf(look));
  for (const { member, watermarks, held, copiedXid, noted } of news) known.set(member, { watermarks, held, copiedXid, noted });
  return news.length > 0;
}

function textOf({ watermarks, held, copiedXid }: Known = NOTHING): string {
  const lines = (marks: Marks, of: string): readonly string[] => [...marks].map(([origin, position]) => `${of} ${origin} ${formatPosition(position)}`);
  return [String(copiedXid), ...[...lines(watermarks, ''), ...[...held].flatMap(([table, marks]) => lines(marks, String(table)))].sort()].join('\n');
}

/** Where a member stands after a round, and what of it is written besides the watermarks. */
export type Moved = Applied & { readonly moves: readonly HeldMove[] };

type Moving = { readonly looks: readonly Look[]; readonly own: ReadonlyMap<number, bigint>; readonly stopped: ReadonlySet<number> };

/**
 * The watermarks move for all tables together. What a stopped table has applied stays written down where it was, in the same transaction;
 * a table that has come after follows the watermarks again.
 */
export function marksAfter(target: Seen, { looks, own, stopped }: Moving): Moved {
  const watermarks = watermarksAfter(target, looks, own);
  const tables = [...new Set([...tablesHeld(looks), ...target.held.keys(), ...stopped])].sort((a, b) => a - b);
  const after = tables.map((table) => {
    const tableMoved = stopped.has(table) ? null : tableAfter(target, table, { looks, own });
    return [table, heldAfter(target, watermarks, { table, tableMoved })] as const;
  });
  return { watermarks, held: new Map(after.filter(([, marks]) => marks.size > 0)), moves: after.flatMap(([table, marks]) => movesOf(target, table, marks)) };
}

function tableAfter(target: Seen, table: number, { looks, own }: Omit<Moving, 'stopped'>): Marks {
  return watermarksAfter(
    seenOfTable(target, table),
    looks.map((look) => seenOfTable(look, table)),
    own,
  );
}

function movesOf({ held }: Seen, table: number, after: Marks): readonly HeldMove[] {
  const before = held.get(table) ?? new Map<number, Position>();
  const isSame = (origin: number, position: Position): boolean => {
    const old = before.get(origin);
    return old !== undefined && formatPosition(old) === formatPosition(position);
  };
  return [
    ...[...before.keys()].filter((origin) => !after.has(origin)).map((origin) => ({ table, origin, position: null })),
    ...[...after].filter(([origin, position]) => !isSame(origin, position)).map(([origin, position]) => ({ table, origin, position })),
  ];
}

/**
 * What a member needs no more of an origin: what its watermark covers and every table of it has applied. Null where that cannot be said,
 * because a table stands in a history that has ended: then everything stays. In a ring only what the sync has noted by itself, which is
 * what its stream starts from again.
 */
export function neededNoMore(known: Known, origin: number): Position | null {
  const { watermarks, held } = known.noted ?? known;
  const watermark = watermarks.get(origin);
  const others = [...held.values()].flatMap((marks) => marks.get(origin) ?? []);
  if (watermark === undefined || others.some(({ history }) => !sameHistory(history, watermark.history))) return null;
  return intersection([watermark, ...others]);
}
