import type { ConflictRule } from '../../src/plan/conflict-rule.ts';
import { isCovered } from '../../src/plan/position.ts';
import { masterRound, type MasterRoundResult } from '../../src/runner/8-round/masters/master-round.ts';
import type { KnownMarks } from '../../src/runner/8-round/masters/known-marks.ts';
import type { Member, SettledRow } from '../../src/runner/8-round/masters/member.ts';
import { abort, begin, type Change, commit, firstImage, type Image, isLocked, marksOf, rowAt } from './image.ts';
import type { Random } from './random.ts';
import { makeJudge, ONE_CLOCK } from './round.ts';
import { crash, flush, makeServer, type Server, ServerError } from './server.ts';
import { isFor, type Peers, simulatedMember, type Transaction } from './simulated-member.ts';
import type { Decided, World } from './world.ts';

/** Databases that several syncs connect, with a runner that forgets nothing and one that starts anew now and then. */
export type Landscape = {
  readonly random: Random;
  readonly keys: readonly string[];
  readonly servers: readonly Server[];
  readonly syncs: readonly Sync[];
  readonly next: { version: number; decision: number; time: bigint };
  readonly decisions: Decided[];
  /** Rounds' transactions that have begun and not ended, by server. */
  readonly transactions: Map<Server, Set<Peers>>;
  readonly ignoresTags: boolean;
  readonly settings: Settings;
};

export type Sync = {
  /** Under which it keeps its watermarks and marks its entries; the syncs of a ring have one. */
  readonly account: string;
  readonly databases: readonly number[];
  /** All databases that the account counts, its own among them. */
  readonly order: readonly number[];
  readonly rule: ConflictRule;
  readonly known: KnownMarks;
};

export type Settings = {
  readonly databases: number;
  readonly syncs: readonly { readonly databases: readonly number[]; readonly rule: ConflictRule }[];
  readonly keys: number;
  /** Clocks are apart by at most this many writes. */
  readonly skew?: number;
  /** The syncs keep one account, as those of a ring do. */
  readonly isRing?: boolean;
  readonly ignoresTags?: boolean;
};

export function makeLandscape(random: Random, settings: Settings): Landscape {
  const keys = Array.from({ length: settings.keys }, (_, index) => `${index % 2}/${index}`);
  const image = firstImage(new Map(keys.map((key, index) => [key, index % 3 === 0 ? '' : 'v0'])));
  const all = Array.from({ length: settings.databases }, (_, database) => database);
  const syncs = settings.syncs.map(({ databases, rule }, index) => {
    const account = settings.isRing ? { account: 'ring', order: all } : { account: `sync${index}`, order: databases };
    return { ...account, databases, rule, known: new Map() };
  });
  return {
    random,
    keys,
    servers: Array.from({ length: settings.databases }, (_, database) => makeServer(database, { image, disk: image })),
    syncs,
    next: { version: 1, decision: 1, time: 1000n },
    decisions: [],
    transactions: new Map(),
    ignoresTags: settings.ignoresTags ?? false,
    settings,
  };
}

/** An application's transaction at some database: committed, or left open. */
export function applicationActs(landscape: Landscape): void {
  const { random, servers } = landscape;
  const server = random.pick(servers);
  const [transaction] = server.image.open;
  if (transaction !== undefined && random.chance(0.5)) {
    server.image = random.chance(0.8) ? commit(server.image, transaction) : abort(server.image, transaction.xid);
  } else {
    const changes = someChanges(landscape, server);
    if (changes.length === 0) return;
    server.image = begin(server.image, changes);
    const begun = server.image.open.at(-1);
    if (begun !== undefined && random.chance(0.8)) server.image = commit(server.image, begun);
  }
  if (random.chance(0.3)) flush(server);
}

function someChanges(landscape: Landscape, { image, locked }: Server): readonly Change[] {
  const { random, keys, next, settings } = landscape;
  const chosen = random.some(keys, 1.5 / keys.length).filter((key) => !isLocked(image, key) && !locked.has(key));
  return chosen.flatMap((key) => {
    const isThere = rowAt(image, key).text !== '';
    const version = next.version++;
    next.time += 1n;
    const at = next.time + BigInt(random.below((settings.skew ?? 0) + 1));
    return [{ key, version, at, text: isThere && random.chance(0.3) ? '' : random.chance(0.1) ? 'same' : `v${version}` }];
  });
}

export function crashSome({ random, servers, transactions }: Landscape): void {
  const server = random.pick(servers);
  crash(server);
  for (const peers of transactions.get(server) ?? []) for (const each of peers.values()) if (each.server === server) each.isOver = true;
}

/** Without the entries that nobody needs for any of the syncs. */
export function purgeSome({ random, servers, syncs }: Landscape): void {
  const server = random.pick(servers);
  const isNeeded = (entry: Image['entries'][number]): boolean =>
    syncs.some((sync) => {
      if (!sync.databases.includes(server.database) || !isFor(sync.account, entry)) return false;
      const origin = sync.order.indexOf(server.database);
      return sync.databases.some((database) => {
        const holder = servers[database];
        const position = holder && marksOf(holder.disk, sync.account, entry.key).get(origin);
        return database !== server.database && (position === undefined || !isCovered(position, entry.xid));
      });
    });
  server.image = { ...server.image, entries: server.image.entries.filter(isNeeded) };
}

/** How a round may be disturbed. */
export type Disturbance = {
  readonly isCalm: boolean;
  /** Called at each of the round's named places. */
  readonly between: () => Promise<void>;
};

/** A round of some of a sync's databases. Errors of servers are an outcome. */
export async function roundOf(landscape: Landscape, sync: Sync, { isCalm, between }: Disturbance): Promise<MasterRoundResult | ServerError> {
  const { random, servers, next, transactions } = landscape;
  const present = sync.databases
    .flatMap((database) => (isCalm || random.chance(0.8) ? [{ database, index: sync.order.indexOf(database) }] : []))
    .sort((a, b) => a.index - b.index);
  if (present.length < 2) return { kind: 'nothing' };
  const peers: Peers = new Map();
  const judge = makeJudge(next, null);
  const known: KnownMarks = !isCalm && random.chance(0.1) ? new Map() : sync.known;
  const members = present.flatMap(({ database, index }) => {
    const server = servers[database];
    if (server === undefined) return [];
    transactions.set(server, new Set([...(transactions.get(server) ?? []), peers]));
    const isShared = landscape.syncs.filter(({ databases }) => databases.includes(database)).length > 1;
    const member = simulatedMember({ server, sync: sync.account, index, peers, tag: landscape.ignoresTags ? null : sync.account, isShared });
    return [watched(isCalm ? member : unreliable(member, random), judge.judged)];
  });
  try {
    return await masterRound({
      members,
      databases: sync.order.map((database) => `d${database}`),
      rules: [sync.rule, sync.rule],
      keys: [],
      known,
      stopped: new Set(isCalm ? [] : [0, 1].filter(() => random.chance(0.2))),
      lock: [],
      keep: [],
      ...ONE_CLOCK,
      isRing: landscape.settings.isRing ?? false,
      newId: judge.newId,
      failpoint: async () => between(),
    });
  } catch (error) {
    if (error instanceof ServerError) return error;
    throw error;
  } finally {
    landscape.decisions.push(...judge.decided());
    for (const set of transactions.values()) set.delete(peers);
    for (const transaction of peers.values()) refuseOpen(transaction);
  }
}

function watched(member: Member, judged: (row: SettledRow) => SettledRow): Member {
  return { ...member, settle: (table, rows) => member.settle(table, rows.map(judged)) };
}

function refuseOpen({ isOver }: Transaction): void {
  if (!isOver) throw new Error('the round has left a transaction open');
}

/** Fails now and then at any call, and answers a commit that it has made, or will not make, with an error. */
function unreliable(member: Member, random: Random): Member {
  const attempt = async <T>(call: () => Promise<T>): Promise<T> => {
    if (random.chance(0.01)) throw new ServerError('57P01', 'the connection was lost');
    return call();
  };
  return {
    ...member,
    look: (options) => attempt(() => member.look(options)),
    hold: () => attempt(() => member.hold()),
    rows: (table, keys) => attempt(() => member.rows(table, keys)),
    settle: (table, rows) => attempt(() => member.settle(table, rows)),
    deliver: (table, to, fresh) => attempt(() => member.deliver(table, to, fresh)),
    apply: (tables, moved) => attempt(() => member.apply(tables, moved)),
    durable: () => attempt(() => member.durable()),
    commit: async () => {
      const isLost = random.chance(0.1);
      if (isLost) await member.rollback();
      else await member.commit();
      if (isLost || random.chance(0.1)) throw new ServerError('08006', 'no answer to the commit');
    },
  };
}

/** As the invariants see it. */
export function worldOf({ servers, keys, next, decisions }: Landscape): World {
  return {
    sides: servers.map(({ image, disk }) => ({ image, disk })),
    databases: servers.length,
    keys,
    next,
    decisions,
    keyOf: new Map(),
    gone: { writes: 0n, records: [] },
    copyLacks: null,
  };
}
