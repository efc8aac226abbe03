import type { History, Position } from '../../src/plan/position.ts';
import { historyOf, type Image } from './image.ts';

/** One database that is up: what it holds, what of that is on its disk, and the rounds' transactions in it. */
export type Server = {
  readonly database: number;
  image: Image;
  /** What a crash would leave. */
  disk: Image;
  timeline: number;
  /** Rounds' transactions that have an id and have not ended. */
  readonly running: Set<bigint>;
  /** Who holds the watermarks of a sync. */
  readonly held: Map<string, bigint>;
  /** Rows that a round has written and not committed, with its transaction. */
  readonly locked: Map<string, bigint>;
};

/** What a server answers; `code` as PostgreSQL has it. */
export class ServerError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export function makeServer(database: number, { image, disk }: { readonly image: Image; readonly disk: Image }): Server {
  return { database, image, disk, timeline: 1, running: new Set(), held: new Map(), locked: new Map() };
}

export function serverHistory({ database, timeline }: Server): History {
  return historyOf(database, timeline);
}

export function takeXid(server: Server): bigint {
  const xid = server.image.nextXid;
  server.image = { ...server.image, nextXid: xid + 1n };
  return xid;
}

export function snapshotOf(server: Server): Position {
  const { nextXid, open } = server.image;
  const xip = [...open.map(({ xid }) => xid), ...server.running].sort((a, b) => (a < b ? -1 : 1));
  return { history: serverHistory(server), xmin: xip[0] ?? nextXid, xmax: nextXid, xip, extra: [] };
}

/** Everything that is committed, and that the ids given so far are used, is on disk. */
export function flush(server: Server): void {
  server.disk = onDisk(server.image);
}

/** What an image leaves on disk: a transaction that was open is none. */
export function onDisk(image: Image): Image {
  return image.open.length === 0 ? image : { ...image, open: [] };
}

/** What was not on disk is gone, and ids that it had are given again. */
export function crash(server: Server): void {
  server.image = server.disk;
  server.running.clear();
  server.held.clear();
  server.locked.clear();
}
