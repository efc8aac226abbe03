import type { Marks } from '../../src/conflict/bookkeeping.ts';
import type { ChangeName } from '../../src/conflict/change-names.ts';
import type { HeldMove, Member } from '../../src/runner/8-round/masters/member.ts';
import { type Entry, type Image, type Lineage, type Row, rowAt, type Versions } from './image.ts';

/** A row that is to be written at a member. */
export type SetAside = Lineage & {
  readonly key: string;
  readonly text: string;
  readonly at: bigint;
  readonly isFresh: boolean;
  /** The changes that a relayed row embodies; null for a decision. */
  readonly names: readonly ChangeName[] | null;
  readonly isSkipped: boolean;
  /** Id of the conflict's record. */
  readonly record: string | null;
};

export type Applied = {
  readonly sync: string;
  readonly snapshot: Image;
  readonly rows: readonly SetAside[];
  readonly moved: Parameters<Member['apply']>[1];
  readonly tag: string | null;
  /** Other syncs read the database too. */
  readonly isShared: boolean;
  readonly xid: bigint;
};

/** Whether the row differs from what the member's snapshot shows. */
export function isChange(snapshot: Image, { key, text, isSkipped }: SetAside): boolean {
  return !isSkipped && rowAt(snapshot, key).text !== text;
}

/** The member's image after the round's transaction. */
export function applied(image: Image, { sync, snapshot, rows, moved, tag, isShared, xid }: Applied): Image {
  const after = new Map(image.rows);
  for (const row of rows) if (!row.isSkipped) after.set(row.key, rowAfter(image, row, { snapshot, xid }));
  return {
    ...image,
    rows: after,
    entries: [...image.entries, ...rows.flatMap((row) => entriesOf(snapshot, row, { sync, tag, xid }))],
    watermarks: new Map([...image.watermarks, [sync, moved.watermarks]]),
    held: new Map([...image.held, [sync, heldAfter(image.held.get(sync), moved.moves)]]),
    absorbed: rows.reduce((sum, row) => sum | absorbedBy(snapshot, row, isShared), image.absorbed),
    records: [...image.records, ...rows.flatMap(({ record }) => (record === null ? [] : [record]))],
  };
}

export function heldAfter(before: ReadonlyMap<number, Marks> | undefined, moves: readonly HeldMove[]): ReadonlyMap<number, Marks> {
  const held = new Map([...(before ?? [])].map(([table, marks]) => [table, new Map(marks)] as const));
  for (const { table, origin, position } of moves) {
    const marks = held.get(table) ?? new Map();
    held.set(table, marks);
    if (position === null) marks.delete(origin);
    else marks.set(origin, position);
  }
  return new Map([...held].filter(([, marks]) => marks.size > 0));
}

/** A row that is the same already stays as it is; that its holder knows more of it now is for the simulation. */
function rowAfter(image: Image, aside: SetAside, { snapshot, xid }: { snapshot: Image; xid: bigint }): Row {
  const row = rowAt(image, aside.key);
  const { text, version, ancestors, events, known } = aside;
  if (isChange(snapshot, aside)) return { text, writer: xid, version, ancestors, events, known };
  const isWrittenSince = row.writer !== rowAt(snapshot, aside.key).writer;
  const here = isWrittenSince ? row.events : aside.record === null ? row.events | events : events;
  return { ...row, ancestors: row.ancestors | ancestors, known: row.known | known, events: here };
}

/** A fresh entry for a row that is the same already is for this sync only: others, if there are some, are not told. */
function absorbedBy(snapshot: Image, row: SetAside, isShared: boolean): Versions {
  const isTold = row.isFresh && !isShared;
  return row.isSkipped || isTold || isChange(snapshot, row) ? 0n : row.ancestors & ~rowAt(snapshot, row.key).ancestors;
}

function entriesOf(snapshot: Image, row: SetAside, { sync, tag, xid }: Pick<Applied, 'sync' | 'tag' | 'xid'>): readonly Entry[] {
  if (row.isSkipped) return [];
  const changes = isChange(snapshot, row);
  if (!changes && !row.isFresh) return [];
  const mark = row.isFresh ? (changes ? null : `=${sync}`) : tag;
  const entry: Entry = { key: row.key, xid, at: row.at, op: row.text === '' ? 'D' : 'U', tag: mark, of: null };
  if (!row.isFresh || row.names === null) return [entry];
  return row.names.length === 0 && changes ? [entry] : row.names.map((of) => ({ ...entry, of }));
}
