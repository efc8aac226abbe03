import { historyNumber, type History, positionAt } from '../../../plan/position.ts';
import type { Session } from '../../postgres/session.ts';
import { type Counter, makeCounter, type PendingTable, pendingTables } from '../counting.ts';
import { ReadTooLate } from '../changed-tables/read-too-late.ts';
import { goneError } from '../changed-tables/table-stop.ts';
import { displayName } from '../../../sql/quote.ts';
import { boundLock, unboundLocks } from '../purge.sql.ts';
import { flushWal, setPosition } from '../source.sql.ts';
import { beginMember, commitMember, holdWatermarks, memberSnapshot, rollbackMember, takeMemberSnapshot } from './masters.sql.ts';
import type { Look, LookOptions, Member } from './member.ts';
import { decideInPlace } from './decide-in-place.ts';
import { accountOf, appliedAt, restingAt } from './member-applied.ts';
import { connectionOf } from './member-connection.ts';
import { isContention, MemberError } from './member-error.ts';
import { outcomesAt } from './member-exceptions.ts';
import { clashesAt } from './member-clashes.ts';
import { deliver, tellsKeys } from './member-deliver.ts';
import { beforesOfKeys, meet, rowsOfKeys, tableOf } from './member-reads.ts';
import { judge, TablesUnfit, unfitAt } from './member-shapes.ts';
import { applyAside, settleAside } from './member-writes.ts';
import type { Result, Statement } from '../../postgres/statement.ts';
import type { MemberState } from './member-state.ts';

export type SessionMemberOptions = Pick<MemberState, 'index' | 'name' | 'syncName' | 'sync' | 'shapes' | 'failpoint' | 'peers' | 'readers'> & {
  readonly session: Session;
  readonly history: History;
  /** A statement on another connection to the same database. */
  readonly query: (text: string) => Promise<Result>;
  /** Value of `sarrio.registry` when the streams of this member were looked at last. */
  readonly registry: () => string;
};

/** Who holds changes back has changed (a copy, a pause, a removal): the streams have to be looked at again. */
export class RegistryChanged extends Error {
  override readonly name = 'RegistryChanged';
}

/** A round of another sync of the ring is going on at a member: this one comes after it. */
export class RoundElsewhere extends Error {
  override readonly name = 'RoundElsewhere';

  constructor(database: string) {
    super(`database ${database}: a round of another sync of the ring has come first`);
  }
}

/** A member over a connection. `state` is what its peers need of it. */
export function sessionMember(options: SessionMemberOptions): { readonly member: Member; readonly state: MemberState } {
  const { history, index, name } = options;
  const counter = makeCounter(options.sync.tables);
  const state: MemberState = {
    ...options,
    ...connectionOf(options),
    pending: { asides: new Map(), records: [], parked: [] },
    verdicts: new Map(),
    resting: new Set(),
    from: null,
    seenBy: new Map(),
    knownBy: new Map(),
    tables: new Map(),
    isBound: false,
    hasReadElsewhere: false,
    entries: new Map(),
    unchecked: new Set(),
    undurable: false,
    flushing: null,
    isSnapshotOnDisk: true,
  };
  const { session } = state;
  const member: Member = {
    index,
    name,
    history,
    look: (wanted) => look({ state, options, counter }, wanted),
    hold: () => hold(state),
    meet: (table, others) => meet(state, table, others),
    decide: (table, others, ask) => decideInPlace(state, table, { others, ask }),
    rows: (table, keys) => rowsOfKeys(state, table, keys),
    befores: (table, keys) => beforesOfKeys(state, table, keys),
    outcome: (table, keys) => outcomesAt(state, table, keys),
    clashes: (table) => clashesAt(state, table),
    settle: (table, rows) => settleAside(state, table, rows),
    deliver: (table, to, fresh) => deliver(state, table, { to, fresh }),
    tellsKeys: (table) => tellsKeys(state, table),
    apply: (tables, moved) => applyAside(state, tables, moved),
    durable: () => makeDurable(state, options),
    commit: async () => {
      const { command } = await session.query(commitMember);
      if (command !== 'COMMIT') throw new Error('the server answered COMMIT with ROLLBACK');
    },
    rollback: async () => {
      if (options.session.isOpen()) await session.query(rollbackMember).catch(() => options.session.destroy());
    },
  };
  return { member: namingErrors(member), state };
}

/** Every error says at which member it came up. */
function namingErrors(member: Member): Member {
  const { index, name } = member;
  const naming =
    <Given extends readonly unknown[], T>(method: (...given: Given) => Promise<T>) =>
    (...given: Given): Promise<T> =>
      method(...given).catch((error: unknown) => {
        throw isNamed(error) ? error : new MemberError(index, name, error);
      });
  return {
    ...member,
    meet: (table, others) => namingEach(member, member.meet(table, others)),
    look: naming(member.look),
    hold: naming(member.hold),
    decide: naming(member.decide),
    rows: naming(member.rows),
    befores: naming(member.befores),
    outcome: naming(member.outcome),
    clashes: naming(member.clashes),
    settle: naming(member.settle),
    deliver: naming(member.deliver),
    apply: naming(member.apply),
    durable: naming(member.durable),
    commit: naming(member.commit),
  };
}

function isNamed(error: unknown): boolean {
  return [MemberError, RegistryChanged, RoundElsewhere, ReadTooLate, TablesUnfit].some((each) => error instanceof each);
}

async function* namingEach<T>({ index, name }: Member, pages: AsyncIterable<T>): AsyncGenerator<T> {
  const iterator = pages[Symbol.asyncIterator]();
  for (;;) {
    const page = await iterator.next().catch((error: unknown) => {
      throw isNamed(error) ? error : new MemberError(index, name, error);
    });
    if (page.done === true) return;
    yield page.value;
  }
}

type Parts = { readonly state: MemberState; readonly options: SessionMemberOptions; readonly counter: Counter };

/** LOCK TABLE takes no snapshot, so that it comes before it. */
async function look({ state, options, counter }: Parts, wanted: LookOptions): Promise<Look> {
  const { from, seenBy, knownBy, tables } = wanted;
  const { session, index } = state;
  state.pending.asides.clear();
  state.pending.records.length = 0;
  state.pending.parked.length = 0;
  state.unchecked.clear();
  Object.assign(state, { from, seenBy, knownBy, tables, hasReadElsewhere: false, isBound: wanted.lock.length + wanted.keep.length > 0 });
  const head = [
    { text: beginMember },
    ...locksOf(state, wanted),
    takeMemberSnapshot({ member: index, ...wanted, ...originsOf(options.history, wanted), syncs: accountOf(state) }),
  ];
  await options.failpoint('masters.before-look');
  const { head: answers, pending: fromWatermarks, gone, tokens, registry } = await counter.count(session, head);
  const pending = [...fromWatermarks.filter(({ ordinal }) => !tables.has(ordinal)), ...(await pendingApart(state, counter))].sort(
    (a, b) => a.ordinal - b.ordinal,
  );
  if (registry !== options.registry()) throw new RegistryChanged(`who reads ${state.name} has changed`);
  const seen = memberSnapshot(answers.at(-1));
  rest(state, restingAt(state, seen));
  for (const ordinal of gone) if (!state.resting.has(ordinal)) throw goneError(state.name, displayName(tableOf(state, ordinal).source));
  await judge(state, new Map([...pending.map(({ ordinal }) => [ordinal, null] as const), ...tokens]));
  state.undurable = false;
  state.isSnapshotOnDisk = seen.isOnDisk;
  // While the round goes on, so that it need not wait for the disk in the end.
  state.flushing = state.isSnapshotOnDisk || pending.length === 0 ? null : flush(options);
  state.entries = new Map(pending.map(({ ordinal, entries }) => [ordinal, entries]));
  return {
    member: index,
    position: positionAt(options.history, seen.snapshot),
    ...appliedAt(state, seen),
    pending,
    unfit: new Set([...unfitAt(state).keys(), ...state.resting]),
    clockMicros: seen.clockMicros,
  };
}

/** What a migration did is looked at anew. */
function rest(state: MemberState, resting: ReadonlySet<number>): void {
  for (const ordinal of state.resting) if (!resting.has(ordinal)) state.verdicts.delete(ordinal);
  state.resting = resting;
}

/** The fence. In a ring another sync's round may be about to move the watermarks here. */
async function hold(state: MemberState): Promise<bigint> {
  const account = accountOf(state);
  const answers = await state.session.batch([holdWatermarks(account)]).catch((error: unknown) => {
    throw account.length > 1 && isContention(error) ? new RoundElsewhere(state.name) : error;
  });
  return BigInt(answers[0]?.lists[0]?.[0] ?? '0');
}

/** A table that nobody may write to is kept as well. */
function locksOf(state: MemberState, { lock, keep }: LookOptions): readonly Statement[] {
  const texts = [
    ...lock.map((ordinal) => tableOf(state, ordinal).masters.lock),
    ...keep.filter((ordinal) => !lock.includes(ordinal)).map((ordinal) => keepLock(state, ordinal)),
  ];
  const [first, ...further] = texts.map((text): Statement => ({ text }));
  if (first === undefined) return [];
  return further.length === 0 ? [first] : [first, { text: boundLock }, ...further, { text: unboundLocks }];
}

/** Who writes is not kept waiting. */
function keepLock(state: MemberState, ordinal: number): string {
  const [route] = tableOf(state, ordinal).routes;
  if (route === undefined) throw new Error(`the plan has no route for table ${ordinal}`);
  return route.verify.lockSource;
}

/** What is pending of tables that stand apart from the watermarks, each from where it stands. */
async function pendingApart({ session, tables, from }: MemberState, counter: Counter): Promise<readonly PendingTable[]> {
  if (tables.size === 0 || from === null) return [];
  const apart = [...tables].flatMap(([ordinal, span]) => [setPosition(span.from), ...counter.of([ordinal])]);
  const answers = await session.batch([...apart, setPosition(from)]);
  return pendingTables(answers.filter((_, place) => place % 2 === 1));
}

/** The histories in which changes have names that the others can look up. */
function originsOf(history: History, { knownBy, tables }: LookOptions): { readonly origin: bigint; readonly origins: ReadonlySet<bigint> } {
  const all = [knownBy, ...[...tables.values()].map((span) => span.knownBy)].flatMap((each) => [...each.values()].flat());
  return { origin: historyNumber(history), origins: new Set(all.map((known) => known.origin)) };
}

/** A tiny commit on another connection waits for the disk, and with it for all that was logged before. */
async function makeDurable(state: MemberState, options: SessionMemberOptions): Promise<void> {
  if (state.unchecked.size > 0) throw new Error(`${state.name} was not asked about tables that it has read`);
  if (state.isSnapshotOnDisk && !state.undurable) return;
  await options.failpoint('masters.before-flush');
  await (state.undurable ? flush(options) : (state.flushing ?? flush(options)));
  state.isSnapshotOnDisk = true;
  state.undurable = false;
}

/** Who waits for it hears of a failure; it may be that nobody does, because the round has failed before. */
function flush({ query }: SessionMemberOptions): Promise<unknown> {
  const flushed = query(flushWal);
  flushed.catch(() => undefined);
  return flushed;
}
