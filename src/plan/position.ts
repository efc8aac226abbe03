import { createHash } from 'node:crypto';

/**
 * A point in one source's history: which transactions are covered. Only this file reads or writes its text form:
 *
 *     <system identifier>.<database oid>.<timeline>/<xmin>:<xmax>:<xip,…>[+<xid,…>]
 *
 * The middle part is a `pg_snapshot` in PostgreSQL's own text form; the last are extra transactions that are covered too.
 * Never compared as a number or a time.
 */
export type Position = {
  readonly history: History;
  readonly xmin: bigint;
  /** First transaction id not yet assigned when the snapshot was taken: this and all later ones are not covered. */
  readonly xmax: bigint;
  /** Transactions below `xmax` that were in progress: not covered. Ascending. */
  readonly xip: readonly bigint[];
  /** Transactions not covered by the snapshot that are covered all the same. Ascending. */
  readonly extra: readonly bigint[];
};

/** What a transaction id needs to mean anything: the cluster, the database in it, and the timeline that a promotion starts anew. */
export type History = { readonly system: string; readonly database: string; readonly timeline: number };

const FORM = /^(\d+)\.(\d+)\.(\d+)\/(\d+):(\d+):([\d,]*)(?:\+([\d,]+))?$/;

/** @throws Error when the text is not a position. */
export function parsePosition(text: string): Position {
  const match = FORM.exec(text);
  if (!match) throw new Error(`not a position: ${JSON.stringify(text)}`);
  const [, system = '', database = '', timeline = '', xmin = '', xmax = '', xip = '', extra = ''] = match;
  return {
    history: { system, database, timeline: Number(timeline) },
    xmin: BigInt(xmin),
    xmax: BigInt(xmax),
    xip: xids(xip),
    extra: xids(extra),
  };
}

/** The position that a snapshot (`pg_current_snapshot()` as text) stands for. */
export function positionAt(history: History, snapshot: string): Position {
  return parsePosition(`${formatHistory(history)}/${snapshot}`);
}

export function formatPosition(position: Position): string {
  const { history, xmin, xmax, xip, extra } = position;
  const more = extra.length > 0 ? `+${extra.join(',')}` : '';
  return `${formatHistory(history)}/${xmin}:${xmax}:${xip.join(',')}${more}`;
}

/** Before everything: no transaction is covered. For a stream that must take all kept changes as pending. */
export function beforeAll(history: History): Position {
  return { history, xmin: 3n, xmax: 3n, xip: [], extra: [] };
}

/** Whether every transaction that `other` covers is covered by `position`. Both must be of one history. */
export function covers(position: Position, other: Position): boolean {
  const open = [...position.xip, ...other.extra].filter((xid) => !isCovered(position, xid));
  return !open.some((xid) => isCovered(other, xid)) && !coversBeyond(position, other);
}

export function isCovered({ xmax, xip, extra }: Position, xid: bigint): boolean {
  return (xid < xmax && !xip.includes(xid)) || extra.includes(xid);
}

export function sameHistory(a: History, b: History): boolean {
  return a.system === b.system && a.database === b.database && a.timeline === b.timeline;
}

/** A short name of a history, for entries that name changes of elsewhere: two have the same once in 2^64. */
export function historyNumber(history: History): bigint {
  const text = formatHistory(history);
  const number = historyNumbers.get(text) ?? createHash('sha256').update(text).digest().readBigInt64BE();
  historyNumbers.set(text, number);
  return number;
}

/** Few, and asked for with every round. */
const historyNumbers = new Map<string, bigint>();

/** The settings that pending queries read. */
export function positionSettings(position: Position): { readonly xmax: string; readonly xip: string; readonly extra: string } {
  return { xmax: String(position.xmax), xip: `{${position.xip.join(',')}}`, extra: `{${position.extra.join(',')}}` };
}

/** Whether `other` covers a transaction in [position.xmax, other.xmax) that `position` does not. */
function coversBeyond(position: Position, other: Position): boolean {
  const exempt = new Set([...other.xip, ...position.extra].filter((xid) => xid >= position.xmax && xid < other.xmax));
  return BigInt(exempt.size) < other.xmax - position.xmax;
}

/** Covers what either of the two covers. Both must be of one history. */
export function union(a: Position, b: Position): Position {
  const [low, high] = a.xmax <= b.xmax ? [a, b] : [b, a];
  const xip = high.xip.filter((xid) => !isCovered(low, xid));
  return tidy({ history: high.history, xmax: high.xmax, xip, extra: [...low.extra, ...high.extra] });
}

/** Covers what all of them cover, and nothing else. All must be of one history, and there must be one. */
export function intersection(positions: readonly Position[]): Position {
  const [first, ...rest] = positions;
  if (first === undefined) throw new Error('no positions');
  return rest.reduce(intersectionOfTwo, first);
}

function intersectionOfTwo(a: Position, b: Position): Position {
  const [low, high] = a.xmax <= b.xmax ? [a, b] : [b, a];
  const xip = [...low.xip, ...high.xip.filter((xid) => xid < low.xmax)].filter((xid) => !(isCovered(low, xid) && isCovered(high, xid)));
  return tidy({ history: high.history, xmax: low.xmax, xip, extra: low.extra.filter((xid) => isCovered(high, xid)) });
}

/** The position with one more transaction covered. */
export function covering(position: Position, xid: bigint): Position {
  return isCovered(position, xid) ? position : tidy({ ...position, extra: [...position.extra, xid] });
}

/** Ascending, each once, `extra` without what the snapshot covers, and `xip` without what `extra` names. */
function tidy({ history, xmax, xip, extra }: Omit<Position, 'xmin'>): Position {
  const open = sorted(xip.filter((xid) => !extra.includes(xid)));
  const named = sorted(extra.filter((xid) => xid >= xmax));
  return { history, xmin: open[0] ?? xmax, xmax, xip: open, extra: named };
}

function sorted(xids: readonly bigint[]): readonly bigint[] {
  return [...new Set(xids)].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

function formatHistory({ system, database, timeline }: History): string {
  return `${system}.${database}.${timeline}`;
}

function xids(text: string): readonly bigint[] {
  return text === '' ? [] : text.split(',').map(BigInt);
}
