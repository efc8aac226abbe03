import type { Knowledge } from '../../../conflict/change-names.ts';
import { historyNumber, parsePosition, type History, type Position, positionAt } from '../../../plan/position.ts';
import type { PlanMultiMaster } from '../../../plan/plan.ts';
import type { Failpoint } from '../../failpoint.ts';
import { makeMutex } from '../../mutex.ts';
import { copyBetween } from '../../postgres/copy.ts';
import type { Result, Session, Statement } from '../../postgres/session.ts';
import { type Counter, makeCounter } from '../counting.ts';
import { boundLock } from '../purge.sql.ts';
import { flushWal, readRegistry } from '../source.sql.ts';
import { beginMember, commitMember, holdWatermarks, readWatermarks, rollbackMember, takeMemberSnapshot, unboundLocks } from './masters.sql.ts';
import type { Look, LookOptions, Member } from './member.ts';
import { MemberError } from './member-error.ts';
import { deliver, meet, rowsOfKeys } from './member-reads.ts';
import { applyAside, type Pending, settleAside } from './member-writes.ts';

/** What the parts of a member share. One connection, so one thing at a time. */
export type MemberState = {
  readonly index: number;
  readonly name: string;
  readonly syncName: string;
  readonly sync: PlanMultiMaster;
  /** As a replica: what it writes fires no capture trigger. One statement or batch at a time, whoever asks. */
  readonly session: Pick<Session, 'query' | 'batch'>;
  /** Sends the rows of a COPY here into a COPY at a peer, or at this member itself. */
  readonly copyTo: (peer: MemberState, text: { readonly from: string; readonly into: string }) => Promise<number>;
  /** Takes the connection for something that the two above cannot do. */
  readonly withConnection: <T>(work: (session: Session) => Promise<T>) => Promise<T>;
  readonly failpoint: Failpoint;
  /** Every member of the sync that is connected, by index, this one among them. */
  readonly peers: ReadonlyMap<number, MemberState>;
  /** Of the present round. */
  readonly pending: Pending;
  from: Position | null;
  seenBy: ReadonlyMap<number, Position>;
  /** What this member itself has seen. */
  known: readonly Knowledge[];
  /** Entries that were pending, by table. */
  entries: ReadonlyMap<number, number>;
  /** Something that others will rely on is not known to be on disk yet: nobody else may commit. */
  undurable: boolean;
};

export type SessionMemberOptions = Pick<MemberState, 'index' | 'name' | 'syncName' | 'sync' | 'failpoint' | 'peers'> & {
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

/** A member over a connection. `state` is what its peers need of it. */
export function sessionMember(options: SessionMemberOptions): { readonly member: Member; readonly state: MemberState } {
  const { history, index, name } = options;
  const counter = makeCounter(options.sync.tables);
  const state: MemberState = {
    ...options,
    ...connectionOf(options.session),
    pending: { asides: new Map(), records: [] },
    from: null,
    seenBy: new Map(),
    known: [],
    entries: new Map(),
    undurable: false,
  };
  const { session } = state;
  const member: Member = {
    index,
    name,
    history,
    look: (wanted) => look({ state, options, counter }, wanted),
    hold: async () => BigInt((await session.batch(holdWatermarks(state.syncName)))[1]?.lists[0]?.[0] ?? '0'),
    meet: (table, others) => meet(state, table, others),
    rows: (table, keys) => rowsOfKeys(state, table, keys),
    settle: (table, rows) => settleAside(state, table, rows),
    deliver: (table, to, fresh) => deliver(state, table, { to, fresh }),
    apply: (tables, watermarks) => applyAside(state, tables, watermarks),
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

/** A connection does one thing at a time; the runner's beats come in between. */
function connectionOf(session: Session): Pick<MemberState, 'session' | 'copyTo' | 'withConnection'> {
  const exclusive = makeMutex();
  return {
    session: { query: (text, values) => exclusive(() => session.query(text, values)), batch: (statements) => exclusive(() => session.batch(statements)) },
    withConnection: (work) => exclusive(() => work(session)),
    copyTo: (peer, text) => exclusive(() => peer.withConnection((other) => copyBetween({ session, text: text.from }, { session: other, text: text.into }))),
  };
}

/** Every error says at which member it came up. */
function namingErrors(member: Member): Member {
  const { index, name } = member;
  const naming =
    <Given extends readonly unknown[], T>(method: (...given: Given) => Promise<T>) =>
    (...given: Given): Promise<T> =>
      method(...given).catch((error: unknown) => {
        throw error instanceof MemberError || error instanceof RegistryChanged ? error : new MemberError(index, name, error);
      });
  return {
    ...member,
    meet: (table, others) => namingEach(member, member.meet(table, others)),
    look: naming(member.look),
    hold: naming(member.hold),
    rows: naming(member.rows),
    settle: naming(member.settle),
    deliver: naming(member.deliver),
    apply: naming(member.apply),
    durable: naming(member.durable),
    commit: naming(member.commit),
  };
}

async function* namingEach<T>({ index, name }: Member, pages: AsyncIterable<T>): AsyncGenerator<T> {
  const iterator = pages[Symbol.asyncIterator]();
  for (;;) {
    const page = await iterator.next().catch((error: unknown) => {
      throw error instanceof MemberError ? error : new MemberError(index, name, error);
    });
    if (page.done === true) return;
    yield page.value;
  }
}

type Parts = { readonly state: MemberState; readonly options: SessionMemberOptions; readonly counter: Counter };

/** LOCK TABLE takes no snapshot, so that it comes before it. */
async function look({ state, options, counter }: Parts, wanted: LookOptions): Promise<Look> {
  const { from, seenBy, lock } = wanted;
  const { session, syncName, index } = state;
  state.pending.asides.clear();
  state.pending.records.length = 0;
  Object.assign(state, { from, seenBy, known: wanted.knownBy.get(index) ?? [] });
  const [first = [], ...further] = lock.map((ordinal): Statement[] => [{ text: state.sync.tables[ordinal]?.masters.lock ?? '' }]);
  const locks = further.length === 0 ? first : [...first, { text: boundLock }, ...further.flat(), { text: unboundLocks }];
  const head = [
    { text: beginMember },
    ...locks,
    takeMemberSnapshot({ member: index, ...wanted, ...originsOf(options.history, wanted) }),
    readWatermarks(syncName),
  ];
  const counting = counter.begin();
  const asked = { registry: '' };
  const counts = async (statements: readonly Statement[]): Promise<readonly Result[]> => {
    const answers = await session.batch([...statements, { name: 'sarrio_registry', text: readRegistry }]);
    asked.registry = answers[statements.length]?.lists[0]?.[0] ?? '';
    return answers.slice(0, statements.length);
  };
  await options.failpoint('masters.before-look');
  const answers = await counts([...head, ...counting.statements]);
  const { pending } = await counting.finish(answers.slice(head.length), counts);
  if (asked.registry !== options.registry()) throw new RegistryChanged(`who reads ${state.name} has changed`);
  const [snapshot = '', , isOnDisk, clock] = answers[head.length - 2]?.lists[0] ?? [];
  state.undurable = isOnDisk !== 't';
  state.entries = new Map(pending.map(({ ordinal, entries }) => [ordinal, entries]));
  return {
    member: index,
    position: positionAt(options.history, snapshot ?? ''),
    watermarks: watermarksOf(state, answers[head.length - 1]),
    copiedXid: copiedXidOf(answers[head.length - 1]),
    pending,
    clockMicros: BigInt(clock ?? '0'),
  };
}

function watermarksOf({ sync, index }: MemberState, answer: Result | undefined): ReadonlyMap<number, Position> {
  const rows = (answer?.lists ?? []).flatMap(([source, position]) => {
    const origin = sync.members.indexOf(source ?? '');
    return origin >= 0 && origin !== index && position ? [[origin, parsePosition(position)] as const] : [];
  });
  return new Map(rows.sort(([a], [b]) => a - b));
}

/** Rows may have been copied more than once, from one member and from another. */
function copiedXidOf(answer: Result | undefined): bigint {
  return (answer?.lists ?? []).reduce((latest, [, , xid]) => (xid && BigInt(xid) > latest ? BigInt(xid) : latest), 0n);
}

/** The histories in which changes have names that the others can look up. */
function originsOf(history: History, { knownBy }: LookOptions): { readonly origin: bigint; readonly origins: ReadonlySet<bigint> } {
  return { origin: historyNumber(history), origins: new Set([...knownBy.values()].flatMap((known) => known.map((each) => each.origin))) };
}

/** A tiny commit on another connection waits for the disk, and with it for all that was logged before. */
async function makeDurable(state: MemberState, { query, failpoint }: SessionMemberOptions): Promise<void> {
  if (!state.undurable) return;
  await failpoint('masters.before-flush');
  await query(flushWal);
  state.undurable = false;
}
