import { type Applied, type Marks, marksOfTable } from '../../src/conflict/bookkeeping.ts';
import type { ChangeName } from '../../src/conflict/change-names.ts';
import type { History } from '../../src/plan/position.ts';

/**
 * A database at one moment, as a value: a snapshot is a reference to it, a crash is going back to an older one. What an application
 * can see of a row is `text`; the rest of it is known to the simulation only.
 */
export type Image = {
  readonly rows: ReadonlyMap<string, Row>;
  readonly entries: readonly Entry[];
  /** By sync, then by origin. Another object means that they were written since. */
  readonly watermarks: ReadonlyMap<string, Marks>;
  /** By sync, then by table: positions of tables that have not moved with the watermarks. */
  readonly held: ReadonlyMap<string, ReadonlyMap<number, Marks>>;
  /** Ids of the conflicts recorded here. */
  readonly records: readonly string[];
  /** The changes that applications have committed here. */
  readonly writes: Versions;
  /** Changes that came to a row which was the same by itself, so that other syncs were not told. */
  readonly absorbed: Versions;
  readonly nextXid: bigint;
  /** Transactions of applications that have written and not ended. */
  readonly open: readonly OpenTransaction[];
};

/** A set of versions, one bit each. */
export type Versions = bigint;

export type Row = {
  /** Empty where the row is absent. */
  readonly text: string;
  /** The transaction that wrote it. */
  readonly writer: bigint;
} & Lineage;

/** Where a row comes from. Numbers stand for changes of applications, merged rows and decisions; 0 for the beginning. */
export type Lineage = {
  /** The change that made the row what it is. */
  readonly version: number;
  /** That change and all that led to it. */
  readonly ancestors: Versions;
  /** The change, or the later decision that put the row here; several when the same row came about in several places. */
  readonly events: Versions;
  /** Those events and all that their makers had seen of this key, chosen or overruled. */
  readonly known: Versions;
};

/** A row of a delta table. */
export type Entry = {
  readonly key: string;
  readonly xid: bigint;
  readonly at: bigint;
  readonly op: 'I' | 'U' | 'D';
  readonly tag: string | null;
  /** The change that a relayed row carries; null for a change or a decision made in this transaction. */
  readonly of: ChangeName | null;
};

/** What an application does to one key; an empty text deletes the row. */
export type Change = { readonly key: string; readonly text: string; readonly version: number; readonly at: bigint };

export type OpenTransaction = { readonly xid: bigint; readonly changes: readonly Change[] };

export const FIRST_XID = 100n;

export function historyOf(database: number, timeline = 1): History {
  return { system: String(database + 1), database: '1', timeline };
}

export function firstImage(texts: ReadonlyMap<string, string>): Image {
  const rows = new Map([...texts].map(([key, text]) => [key, { text, writer: 3n, version: 0, ancestors: 0n, events: 0n, known: 0n }]));
  return { rows, entries: [], watermarks: new Map(), held: new Map(), records: [], writes: 0n, absorbed: 0n, nextXid: FIRST_XID, open: [] };
}

export function appliedOf({ watermarks, held }: Image, sync: string): Applied {
  return { watermarks: watermarks.get(sync) ?? new Map(), held: held.get(sync) ?? new Map() };
}

/** The table that a key is of. */
export function tableOf(key: string): number {
  return Number(key.slice(0, key.indexOf('/')));
}

/** How far the image's holder has applied the changes of a key's table. */
export function marksOf(image: Image, sync: string, key: string): Marks {
  return marksOfTable(appliedOf(image, sync), tableOf(key));
}

export function rowAt({ rows }: Image, key: string): Row {
  const row = rows.get(key);
  if (row === undefined) throw new Error(`no key ${key}`);
  return row;
}

export function bit(version: number): Versions {
  const known = BITS[version];
  if (known !== undefined) return known;
  const made = 1n << BigInt(version);
  BITS[version] = made;
  return made;
}

/** Asked for a million times. */
const BITS: Versions[] = [0n];

/** Whether a transaction of an application holds the row. */
export function isLocked({ open }: Image, key: string): boolean {
  return open.some(({ changes }) => changes.some((change) => change.key === key));
}

/** An application's transaction, begun and with its statements done. Its rows are locked from now on. */
export function begin(image: Image, changes: readonly Change[]): Image {
  return { ...image, nextXid: image.nextXid + 1n, open: [...image.open, { xid: image.nextXid, changes }] };
}

export function commit(image: Image, { xid, changes }: OpenTransaction): Image {
  const rows = new Map(image.rows);
  for (const change of changes) rows.set(change.key, changed(rowAt(image, change.key), change, xid));
  const entries = [...image.entries, ...changes.map((change) => entryOf(rowAt(image, change.key), change, xid))];
  const writes = changes.reduce((sum, { version }) => sum | bit(version), image.writes);
  return { ...abort(image, xid), rows, entries, writes };
}

export function abort(image: Image, xid: bigint): Image {
  return { ...image, open: image.open.filter((each) => each.xid !== xid) };
}

/** A whole transaction. */
export function write(image: Image, changes: readonly Change[]): Image {
  return commit(begin(image, changes), { xid: image.nextXid, changes });
}

function changed(row: Row, { text, version }: Change, xid: bigint): Row {
  return { text, writer: xid, version, ancestors: row.ancestors | bit(version), events: bit(version), known: row.known | bit(version) };
}

function entryOf(row: Row, { key, text, at }: Change, xid: bigint): Entry {
  return { key, xid, at, op: text === '' ? 'D' : row.text === '' ? 'I' : 'U', tag: null, of: null };
}
