import { allNames, type ChangeName, hasSeen, nameOf, namesNewTo } from '../../src/conflict/change-names.ts';
import type { Version } from '../../src/conflict/version.ts';
import { historyNumber, isCovered, type Position } from '../../src/plan/position.ts';
import type { Delivered, LookOptions, Member, MetKey, RowText, SettledRow } from '../../src/runner/8-round/masters/member.ts';
import { applied, isChange, type SetAside } from './apply.ts';
import { appliedOf, type Entry, type Image, isLocked, type Lineage, rowAt, tableOf, type Versions } from './image.ts';
import { flush, type Server, ServerError, serverHistory, snapshotOf, takeXid } from './server.ts';

/** A round's transaction in one member. */
export type Transaction = {
  readonly index: number;
  readonly server: Server;
  readonly snapshot: Image;
  options: LookOptions;
  readonly isRelayNamed: boolean;
  readonly settled: Map<string, SetAside>;
  readonly delivered: Map<string, SetAside>;
  xid: bigint;
  ending: ((image: Image) => Image) | null;
  isOver: boolean;
};

/** What the members of one round know of each other: in production the runner carries rows between them. */
export type Peers = Map<number, Transaction>;

export type MemberOptions = {
  readonly server: Server;
  readonly sync: string;
  /** Index in the sync's order of databases. */
  readonly index: number;
  readonly peers: Peers;
  /** Tag of what a round writes that this sync itself need not carry on. */
  readonly tag?: string | null;
  /** Whether other syncs read the database too. */
  readonly isShared?: boolean;
  /** Whether entries of relayed rows name the changes that they carry. */
  readonly isRelayNamed?: boolean;
};

/** A member in memory, with the semantics of the SQL that production runs. */
export function simulatedMember(options: MemberOptions): Member {
  const { server, sync, index, peers } = options;
  const mine = (): Transaction => transactionOf(peers, index);
  return {
    index,
    name: `d${server.database}`,
    history: serverHistory(server),
    async look(lookOptions) {
      const position = snapshotOf(server);
      const snapshot = server.image;
      const { watermarks, held } = appliedOf(snapshot, sync);
      peers.set(index, {
        index,
        server,
        snapshot,
        options: lookOptions,
        isRelayNamed: options.isRelayNamed ?? true,
        settled: new Map(),
        delivered: new Map(),
        xid: 0n,
        ending: null,
        isOver: false,
      });
      return {
        member: index,
        position,
        watermarks,
        held,
        copiedXid: 0n,
        noted: null,
        clockMicros: 0n,
        pending: pendingTables(snapshot, sync, lookOptions),
        unfit: new Set(),
      };
    },
    async hold() {
      return hold(mine(), sync);
    },
    async *meet(table, others) {
      const members = [index, ...others.map((other) => other.index)].sort((a, b) => a - b);
      const met = contested(peers, { sync, table, members });
      if (met.length > 0) yield met;
    },
    async decide() {
      return null;
    },
    async rows(_table, keys) {
      refuseOver(mine());
      return keys.map(([key = '']) => rowText(peers, index, key));
    },
    async outcome(_table, keys) {
      const { settled, delivered } = mine();
      return keys.map(([key = '']) => {
        const aside = settled.get(key) ?? delivered.get(key);
        return aside === undefined || aside.isSkipped ? rowText(peers, index, key) : textOf(key, aside);
      });
    },
    async befores() {
      throw new Error('the simulation has no handlers');
    },
    async clashes() {
      return [];
    },
    async settle(_table, rows) {
      refuseOver(mine());
      const { settled } = mine();
      for (const row of rows) settled.set(keyOf(row.row), setAside(mine(), row));
    },
    async deliver(table, to, fresh) {
      refuseOver(mine());
      return deliver(peers, { sync, table, from: index, to: to.map((member) => member.index), fresh });
    },
    // So that both ways are gone.
    tellsKeys: (table) => table === 0,
    async apply(tables, moved) {
      apply(mine(), { sync, tables, moved, tag: options.tag === undefined ? sync : options.tag, isShared: options.isShared ?? false });
    },
    async durable() {
      refuseOver(mine());
      flush(server);
    },
    async commit() {
      const transaction = mine();
      refuseOver(transaction);
      if (transaction.ending !== null) server.image = transaction.ending(server.image);
      end(transaction, sync);
    },
    async rollback() {
      const transaction = peers.get(index);
      if (transaction !== undefined) end(transaction, sync);
    },
  };
}

/** Whether a sync has to carry an entry on. */
export function isFor(sync: string, { tag }: Entry): boolean {
  return tag === null || tag === `=${sync}` || (tag !== sync && !tag.startsWith('='));
}

function transactionOf(peers: Peers, index: number): Transaction {
  const transaction = peers.get(index);
  if (transaction === undefined) throw new ServerError('25P01', `member ${index} has no transaction`);
  return transaction;
}

function refuseOver({ isOver }: Transaction): void {
  if (isOver) throw new ServerError('57P01', 'the connection was lost');
}

function end(transaction: Transaction, sync: string): void {
  if (transaction.isOver) return;
  transaction.isOver = true;
  const { server, xid } = transaction;
  server.running.delete(xid);
  if (server.held.get(sync) === xid) server.held.delete(sync);
  for (const [key, holder] of server.locked) if (holder === xid) server.locked.delete(key);
}

function hold(transaction: Transaction, sync: string): bigint {
  const { server, snapshot } = transaction;
  refuseOver(transaction);
  if (server.held.has(sync)) throw new ServerError('55P03', 'the watermarks are locked');
  if (server.image.watermarks.get(sync) !== snapshot.watermarks.get(sync)) throw new ServerError('40001', 'the watermarks were moved');
  transaction.xid = takeXid(server);
  server.running.add(transaction.xid);
  server.held.set(sync, transaction.xid);
  return transaction.xid;
}

function isPendingAt(entry: Entry, sync: string, seen: Position): boolean {
  return isFor(sync, entry) && !isCovered(seen, entry.xid);
}

function pendingTables(image: Image, sync: string, options: LookOptions): Awaited<ReturnType<Member['look']>>['pending'] {
  const counts = new Map<number, number>();
  for (const entry of image.entries) {
    const { from, seenBy } = options.tables.get(tableOf(entry.key)) ?? options;
    if (!isPendingAt(entry, sync, from)) continue;
    if (![...seenBy.values()].some((seen) => !isCovered(seen, entry.xid))) throw new Error('`from` is behind what everybody has seen');
    counts.set(tableOf(entry.key), (counts.get(tableOf(entry.key)) ?? 0) + 1);
  }
  return [...counts].sort(([a], [b]) => a - b).map(([ordinal, entries]) => ({ ordinal, entries, allInserts: false, truncated: false }));
}

type Pending = Pick<Version, 'pendingAt' | 'at' | 'op' | 'names'>;

/** By key, which of the others have not seen the changes that a member holds, and what those came to. */
function pendingKeys(peers: Peers, member: number, { sync, table }: { sync: string; table: number }): ReadonlyMap<string, Pending> {
  const transaction = transactionOf(peers, member);
  const { snapshot } = transaction;
  const found = new Map<string, { pendingAt: number; entries: Entry[] }>();
  for (const entry of snapshot.entries) {
    const pendingAt = tableOf(entry.key) === table ? pendingBits(peers, member, sync, entry) : 0;
    if (pendingAt === 0) continue;
    const known = found.get(entry.key) ?? { pendingAt: 0, entries: [] };
    found.set(entry.key, { pendingAt: known.pendingAt | pendingAt, entries: [...known.entries, entry] });
  }
  return new Map(
    [...found].map(([key, { pendingAt, entries }]) => {
      const names = allNames(entries.map((entry) => namesOf(transaction, entry)));
      return [key, { pendingAt, at: entries.reduce(later).at, op: opOf(snapshot, entries), names }];
    }),
  );
}

function opOf(snapshot: Image, entries: readonly Entry[]): Version['op'] {
  const first = entries.reduce((a, b) => (later(a, b) === a ? b : a));
  return rowAt(snapshot, first.key).text === '' ? 'delete' : first.op === 'I' ? 'insert' : 'update';
}

function pendingBits(peers: Peers, holder: number, sync: string, entry: Entry): number {
  const { options } = transactionOf(peers, holder);
  const { seenBy, knownBy } = options.tables.get(tableOf(entry.key)) ?? options;
  return [...seenBy].reduce((bits, [target, seen]) => (isPendingAt(entry, sync, seen) && !isKnown(knownBy, target, entry.of) ? bits | (1 << target) : bits), 0);
}

/** Whether a member has seen a relayed change, or made it. */
function isKnown(knownBy: LookOptions['knownBy'], target: number, name: ChangeName | null): boolean {
  return name !== null && hasSeen(knownBy.get(target) ?? [], name);
}

/** What an entry stands for, to this sync: a change that came from outside of it came into it here. */
function namesOf({ server, options }: Transaction, { of, xid }: Entry): readonly ChangeName[] {
  const own = historyNumber(serverHistory(server));
  const origins = new Set([...options.knownBy.values()].flatMap((known) => known.map(({ origin }) => origin)));
  return [of !== null && origins.has(BigInt(of.slice(0, of.indexOf(':')))) ? of : nameOf(own, xid)];
}

/** What a row was written by last is the entry of the later transaction: what a round writes carries an older time than that of the entry it supersedes. */
function later(a: Entry, b: Entry): Entry {
  return a.xid > b.xid || (a.xid === b.xid && a.at > b.at) ? a : b;
}

function contested(peers: Peers, { sync, table, members }: { sync: string; table: number; members: readonly number[] }): readonly MetKey[] {
  const versions = new Map<string, Version[]>();
  for (const member of members) {
    const transaction = transactionOf(peers, member);
    for (const [key, pending] of pendingKeys(peers, member, { sync, table })) {
      versions.set(key, [...(versions.get(key) ?? []), { member, image: rowAt(transaction.snapshot, key).text, ...pending }]);
    }
  }
  return [...versions]
    .filter(([, found]) => found.length > 1)
    .map(([key, found]) => ({ key: [key], versions: found, rowOf: (member) => rowText(peers, member, key) }));
}

/**
 * A row as text: key, what can be seen of it, and what only the simulation knows. Who holds the same row counts as having seen all the
 * changes that led to it, wherever they were made.
 */
function rowText(peers: Peers, index: number, key: string): RowText {
  const row = rowAt(transactionOf(peers, index).snapshot, key);
  const same = [...peers.values()].map(({ snapshot }) => rowAt(snapshot, key)).filter(({ text }) => text === row.text);
  const all = (of: (lineage: Lineage) => Versions): Versions => same.reduce((sum, each) => sum | of(each), 0n);
  return textOf(key, { ...row, ancestors: all(({ ancestors }) => ancestors), events: all(({ events }) => events), known: all(({ known }) => known) });
}

export function textOf(key: string, { text, version, ancestors, events, known }: Seen): RowText {
  return { isPresent: text !== '', values: [key, text, String(version), String(ancestors), String(events), String(known)] };
}

export function keyOf({ values }: RowText): string {
  return values[0] ?? '';
}

export type Seen = Lineage & { readonly text: string };

export function rowOf({ isPresent, values: [, text, version, ancestors, events, known] }: RowText): Seen {
  return {
    text: isPresent ? (text ?? '') : '',
    version: Number(version),
    ancestors: BigInt(ancestors ?? 0),
    events: BigInt(events ?? 0),
    known: BigInt(known ?? 0),
  };
}

function setAside({ isRelayNamed, index, options }: Transaction, { write, row, at, isFresh, names, record }: SettledRow): SetAside {
  const key = keyOf(row);
  const { knownBy } = options.tables.get(tableOf(key)) ?? options;
  return {
    ...rowOf(row),
    key,
    at,
    isFresh,
    names: isRelayNamed ? namesNewTo(knownBy.get(index) ?? [], names) : null,
    isSkipped: write === 'skip',
    record: record?.id ?? null,
  };
}

type Delivery = { readonly sync: string; readonly table: number; readonly from: number; readonly to: readonly number[]; readonly fresh: boolean };

function deliver(peers: Peers, { sync, table, from, to, fresh }: Delivery): Delivered {
  const keys = pendingKeys(peers, from, { sync, table });
  for (const [key, { pendingAt, at, names }] of keys) {
    const row = rowText(peers, from, key);
    for (const member of to.filter((each) => (pendingAt & (1 << each)) !== 0)) {
      const receiver = transactionOf(peers, member);
      receiver.delivered.set(
        key,
        setAside(receiver, { write: 'row', row, at, isFresh: fresh, names, carried: null, record: null, isLast: false, parked: null }),
      );
    }
  }
  return { rows: keys.size, keys: [...keys.keys()] };
}

type Applying = {
  readonly sync: string;
  readonly tables: readonly number[];
  readonly moved: Parameters<Member['apply']>[1];
  readonly tag: string | null;
  readonly isShared: boolean;
};

/** Fails as the server would where somebody else has changed or holds a row. What it writes is visible to others from `commit` on. */
function apply(transaction: Transaction, { sync, tables, moved, tag, isShared }: Applying): void {
  const { server, snapshot, settled, delivered, xid } = transaction;
  refuseOver(transaction);
  const rows = [...new Map([...delivered, ...settled]).values()].filter(({ key }) => tables.includes(tableOf(key)));
  for (const row of rows.filter((each) => isChange(snapshot, each))) {
    if (isLocked(server.image, row.key) || server.locked.has(row.key)) throw new ServerError('55P03', `row ${row.key} is locked`);
    if (rowAt(server.image, row.key).writer !== rowAt(snapshot, row.key).writer) throw new ServerError('40001', `row ${row.key} was changed`);
    server.locked.set(row.key, xid);
  }
  transaction.ending = (image) => applied(image, { sync, snapshot, rows, moved, tag, isShared, xid });
}
