import type { Change } from '../../../src/conflict/change.ts';
import { type Knowledge, namesNewTo } from '../../../src/conflict/change-names.ts';
import type { Version } from '../../../src/conflict/version.ts';
import type { Member, MetKey, RowText, Span } from '../../../src/runner/8-round/masters/member.ts';
import { historyOf } from '../image.ts';
import { type Aside, asideOf, changesOf, type Entry, namesOf, pendingBits, pendingFor, positionOf, type Side, written } from './side.ts';

/** A round's transaction in one member. */
export type Transaction = {
  readonly side: Side;
  readonly options: Span;
  aside: Aside | null;
  isSettled: boolean;
  xid: bigint;
  after: Side | null;
};

export type MergingPeers = Map<number, Transaction>;

/** A member in memory whose one table has a rule that merges; no more of the server than that rule can meet. */
export function mergingMember(index: number, side: Side, peers: MergingPeers): Member {
  const mine = (): Transaction => transactionOf(peers, index);
  return {
    index,
    name: `d${index}`,
    history: historyOf(index),
    async look(options) {
      peers.set(index, { side, options: options.tables.get(0) ?? options, aside: null, isSettled: false, xid: 0n, after: null });
      const entries = pendingFor(side, (options.tables.get(0) ?? options).from).length;
      const pending = entries === 0 ? [] : [{ ordinal: 0, entries, allInserts: false, truncated: false }];
      return {
        member: index,
        position: positionOf(index, side),
        watermarks: side.watermarks,
        held: side.held,
        copiedXid: 0n,
        noted: null,
        clockMicros: 0n,
        pending,
        unfit: new Set(),
      };
    },
    async hold() {
      mine().xid = side.nextXid;
      return side.nextXid;
    },
    async *meet(_, others) {
      const versions = [index, ...others.map((other) => other.index)].sort((a, b) => a - b).flatMap((member) => versionOf(peers, member) ?? []);
      const rowOf = (member: number): RowText => ({ isPresent: true, values: transactionOf(peers, member).side.values });
      const key: MetKey = { key: ['k'], versions, rowOf };
      if (versions.length > 1) yield [key];
    },
    async decide() {
      return null;
    },
    async rows() {
      return [{ isPresent: true, values: side.values }];
    },
    outcome: () => Promise.reject(new Error('no row is changed here')),
    befores: () => Promise.reject(new Error('the simulation has no handlers')),
    clashes: async () => [],
    async settle(_, [row]) {
      if (row === undefined) return;
      mine().aside = asideOf(row, knownAt(mine(), index));
      mine().isSettled = true;
    },
    async deliver(_, to, fresh) {
      return { rows: deliver(peers, { from: index, to: to.map((member) => member.index), fresh }), keys: null };
    },
    tellsKeys: () => false,
    async apply(_, moved) {
      const { aside, xid } = mine();
      mine().after = written({ ...side, nextXid: xid + 1n }, { aside, xid, moved });
    },
    durable: () => Promise.resolve(),
    commit: () => Promise.resolve(),
    rollback: () => Promise.resolve(),
  };
}

function transactionOf(peers: MergingPeers, index: number): Transaction {
  const transaction = peers.get(index);
  if (transaction === undefined) throw new Error(`member ${index} has no transaction`);
  return transaction;
}

function knownAt({ options }: Transaction, index: number): readonly Knowledge[] {
  return options.knownBy.get(index) ?? [];
}

function versionOf(peers: MergingPeers, member: number): Version | undefined {
  const { side, options } = transactionOf(peers, member);
  const { pending, pendingAt } = pendingOf(peers, member);
  if (pending.length === 0) return undefined;
  const names = namesOf(member, pending, options);
  return { member, pendingAt, at: latestOf(pending), op: 'update', image: side.values.join(), names, changes: changesOf(member, pending) };
}

function pendingOf(peers: MergingPeers, member: number): { readonly pending: readonly Entry[]; readonly pendingAt: number } {
  const { side, options } = transactionOf(peers, member);
  const pending = side.entries.filter((entry) => pendingBits(options, entry) !== 0);
  return { pending, pendingAt: pending.reduce((sum, entry) => sum | pendingBits(options, entry), 0) };
}

function deliver(peers: MergingPeers, { from, to, fresh }: { from: number; to: readonly number[]; fresh: boolean }): number {
  const { side, options } = transactionOf(peers, from);
  const { pending, pendingAt } = pendingOf(peers, from);
  const carried: readonly Change[] = changesOf(from, pending);
  const names = namesOf(from, pending, options);
  for (const target of to.filter((each) => (pendingAt & (1 << each)) !== 0)) {
    const peer = transactionOf(peers, target);
    const newNames = namesNewTo(knownAt(peer, target), names);
    if (!peer.isSettled) peer.aside = { values: side.values, at: latestOf(pending), isFresh: fresh, carried, names: newNames };
  }
  return 1;
}

function latestOf(entries: readonly Entry[]): bigint {
  return [...entries].sort((a, b) => (a.at < b.at ? 1 : -1))[0]?.at ?? 0n;
}
