import type { Position } from '../../src/plan/position.ts';
import { type Entry, type Image, type Row, rowAt, type Versions } from './image.ts';

/** A row that is to be written at a member. */
export type SetAside = {
  readonly key: string;
  readonly text: string;
  readonly version: number;
  readonly ancestors: Versions;
  readonly at: bigint;
  readonly isFresh: boolean;
  readonly isSkipped: boolean;
  /** Id of the conflict's record. */
  readonly record: string | null;
};

export type Applied = {
  readonly sync: string;
  readonly snapshot: Image;
  readonly rows: readonly SetAside[];
  readonly watermarks: ReadonlyMap<number, Position>;
  readonly tag: string | null;
  readonly xid: bigint;
};

/** Whether the row differs from what the member's snapshot shows. */
export function isChange(snapshot: Image, { key, text, isSkipped }: SetAside): boolean {
  return !isSkipped && rowAt(snapshot, key).text !== text;
}

/** The member's image after the round's transaction. */
export function applied(image: Image, { sync, snapshot, rows, watermarks, tag, xid }: Applied): Image {
  const after = new Map(image.rows);
  for (const row of rows) if (!row.isSkipped) after.set(row.key, rowAfter(rowAt(image, row.key), row, isChange(snapshot, row) ? xid : null));
  return {
    ...image,
    rows: after,
    entries: [...image.entries, ...rows.flatMap((row) => entriesOf(snapshot, row, { sync, tag, xid }))],
    watermarks: new Map([...image.watermarks, [sync, watermarks]]),
    records: [...image.records, ...rows.flatMap(({ record }) => (record === null ? [] : [record]))],
  };
}

/** A row that is the same already stays as it is; that its holder knows the changes which led to the same elsewhere is for the simulation. */
function rowAfter(row: Row, { text, version, ancestors }: SetAside, writer: bigint | null): Row {
  if (writer === null) return { ...row, ancestors: row.ancestors | ancestors };
  return { text, writer, version, ancestors };
}

function entriesOf(snapshot: Image, row: SetAside, { sync, tag, xid }: Pick<Applied, 'sync' | 'tag' | 'xid'>): readonly Entry[] {
  if (row.isSkipped) return [];
  const changes = isChange(snapshot, row);
  if (!changes && !row.isFresh) return [];
  const mark = row.isFresh ? (changes ? null : `=${sync}`) : tag;
  return [{ key: row.key, xid, at: row.at, op: row.text === '' ? 'D' : 'U', tag: mark }];
}
