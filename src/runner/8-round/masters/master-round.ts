import { isFresh, watermarksAfter } from '../../../conflict/bookkeeping.ts';
import { type Knowledge, knowledgeOf } from '../../../conflict/change-names.ts';
import { clockSkew } from '../../../conflict/clock-skew.ts';
import type { HandlerDecision, HandlerFailure } from '../../../conflict/handlers/judge.ts';
import type { HandlerConflict } from '../../../conflict/handlers/message.ts';
import type { ConflictRule } from '../../../plan/conflict-rule.ts';
import { beforeAll, formatPosition, intersection, type Position, sameHistory } from '../../../plan/position.ts';
import type { Failpoint } from '../../failpoint.ts';
import { allOf } from './all-of.ts';
import type { Look, Member } from './member.ts';
import { settleContested } from './settle-contested.ts';

/** One pass over a multi-master sync. */
export type MasterRound = {
  /** Those that are up, ordered by index; two at least. */
  readonly members: readonly Member[];
  /** Every database of the sync, by index. */
  readonly databases: readonly string[];
  /** The rule of each table, by ordinal. */
  readonly rules: readonly ConflictRule[];
  /** The names of the values of a table's rows, by ordinal. */
  readonly columns: readonly (readonly string[])[];
  /** Those of which no record shows the values, by ordinal. */
  readonly masked: readonly (readonly string[])[];
  /** What is known of the watermarks from the last round. Kept up to date by the rounds. */
  readonly known: KnownWatermarks;
  /** Tables to lock before the snapshots are taken. */
  readonly lock: readonly number[];
  /** Filled with the tables in which something was pending, also by a round that fails. */
  readonly touched: Set<number>;
  /** Beyond this difference of two members' clocks no conflict is decided by time. */
  readonly maxClockSkewMs: number;
  /** Milliseconds from an unspecified start. */
  readonly now: () => number;
  /** Decides conflicts of a table whose rule is a handler, in their order. */
  readonly decideByHandler: (table: number, conflicts: readonly HandlerConflict[]) => Promise<readonly (HandlerDecision | HandlerFailure)[]>;
  /** An id for the next conflict. */
  readonly newId: () => string;
  readonly failpoint: Failpoint;
};

/** A round whose snapshots are taken. */
export type BegunRound = MasterRound & {
  /** How far the members' clocks are apart at least. */
  readonly skewMicros: bigint;
};

/** Until it is known when a member's rows were copied, nothing that was changed there counts as seen by it. */
const NOT_KNOWN = 2n ** 64n - 1n;

/** By index, what was read of each member last. */
export type KnownWatermarks = Map<number, Pick<Look, 'watermarks' | 'copiedXid'>>;

export type MasterRoundResult =
  /** The watermarks were not what was known: look again. */
  | { readonly kind: 'again' }
  | { readonly kind: 'nothing' }
  | {
      readonly kind: 'applied';
      /** Entries that were pending, by origin index. */
      readonly entries: ReadonlyMap<number, number>;
      /** Rows that were brought to each of the others, by origin index. */
      readonly rows: ReadonlyMap<number, number>;
      readonly tables: number;
      readonly conflicts: number;
      /** Members whose commit failed or was not answered, with the error. What became of it their watermarks will tell. */
      readonly failed: ReadonlyMap<number, unknown>;
    };

/**
 * Carries every pending change of the present members to the others, decides conflicts, and commits on each. Invariants:
 *
 * - Nothing is written anywhere before every present member has taken its snapshot, and all of it in one transaction for each member.
 * - A member's watermark of another covers that one's snapshot, and its transaction of this round only where that writes fresh entries.
 * - No member commits before all others have on disk what their snapshots saw and their transactions wrote.
 * - Which of the commits survive does not matter: each is complete in itself.
 *
 * On an error every transaction is rolled back.
 */
export async function masterRound(round: MasterRound): Promise<MasterRoundResult> {
  const { members } = round;
  try {
    const started = round.now();
    const looks = await allOf(members.map((member) => member.look(lookOptions(round, member))));
    const skewMicros = clockSkew(
      looks.map(({ clockMicros }) => clockMicros),
      BigInt(Math.ceil((round.now() - started) * 1000)),
    );
    if (isNews(round, looks)) return await leave(round, { kind: 'again' });
    if (looks.every(({ pending }) => pending.length === 0)) return await leave(round, { kind: 'nothing' });
    return await exchange({ ...round, skewMicros }, looks);
  } catch (error) {
    await Promise.allSettled(members.map((member) => member.rollback()));
    throw error;
  }
}

async function leave(round: MasterRound, result: MasterRoundResult): Promise<MasterRoundResult> {
  await Promise.all(round.members.map((member) => member.rollback()));
  return result;
}

function lookOptions(round: MasterRound, member: Member): Parameters<Member['look']>[0] {
  const others = round.members.filter(({ index }) => index !== member.index);
  const seenBy = new Map(others.map((other) => [other.index, seenOf(round, member, other)]));
  const knownBy = new Map(round.members.map((each) => [each.index, knowledgeIn(round, each)]));
  return { from: intersection([...seenBy.values()]), seenBy, knownBy, lock: round.lock };
}

function knowledgeIn({ known }: MasterRound, { index, history }: Member): readonly Knowledge[] {
  return knowledgeOf({ history, ...(known.get(index) ?? { watermarks: new Map(), copiedXid: NOT_KNOWN }) });
}

/** On a new timeline of the origin the same transaction ids mean other transactions: all kept changes are pending again. */
function seenOf({ known }: MasterRound, origin: Member, target: Member): Position {
  const position = known.get(target.index)?.watermarks.get(origin.index);
  return position !== undefined && sameHistory(position.history, origin.history) ? position : beforeAll(origin.history);
}

/** Whether any watermark is another than was known when the counting began. */
function isNews({ known }: MasterRound, looks: readonly Look[]): boolean {
  const news = looks.filter((look) => textOf(known.get(look.member)) !== textOf(look));
  for (const { member, watermarks, copiedXid } of news) known.set(member, { watermarks, copiedXid });
  return news.length > 0;
}

function textOf(known: Pick<Look, 'watermarks' | 'copiedXid'> | undefined): string {
  const watermarks = [...(known?.watermarks ?? [])].map(([origin, position]) => `${origin} ${formatPosition(position)}`).sort();
  return [known?.copiedXid, ...watermarks].join('\n');
}

async function exchange(round: BegunRound, looks: readonly Look[]): Promise<MasterRoundResult> {
  const { members, failpoint, touched } = round;
  for (const { pending } of looks) for (const { ordinal } of pending) touched.add(ordinal);
  await failpoint('masters.before-hold');
  const held = await allOf(members.map((member) => member.hold()));
  const xids = new Map(members.map(({ index }, place) => [index, held[place] ?? 0n]));
  const tables = [...touched].sort((a, b) => a - b);
  await failpoint('masters.before-exchange');
  const exchanged: Exchanged[] = [];
  for (const table of tables) exchanged.push(await exchangeTable(round, looks, table));
  const written = writtenAt(round, exchanged);
  const own = new Map([...xids].filter(([index]) => exchanged.some(({ freshAt }) => freshAt.has(index))));
  await failpoint('masters.before-apply');
  const moves = looks.map((look) => ({ look, moved: watermarksAfter(look, looks, own) }));
  const changing = moves.filter(({ look }) => isToCommit(look, { looks, written, own }));
  await allOf(changing.map(({ look, moved }) => memberOf(round, look.member).apply(written.get(look.member) ?? [], moved)));
  await failpoint('masters.before-durable');
  await allOf(members.map((member) => member.durable()));
  const failed = await commitAll(round, new Set(changing.map(({ look }) => look.member)));
  for (const { look, moved } of changing) if (!failed.has(look.member)) round.known.set(look.member, { watermarks: moved, copiedXid: look.copiedXid });
  const entries = new Map(looks.map(({ member, pending }) => [member, pending.reduce((sum, each) => sum + each.entries, 0)]));
  const rows = new Map(members.map(({ index }) => [index, exchanged.reduce((sum, each) => sum + (each.rows.get(index) ?? 0), 0)]));
  return { kind: 'applied', entries, rows, tables: tables.length, conflicts: exchanged.reduce((sum, { conflicts }) => sum + conflicts, 0), failed };
}

/** What was set aside for one table. */
type Exchanged = {
  readonly table: number;
  readonly conflicts: number;
  /** By origin index. */
  readonly rows: ReadonlyMap<number, number>;
  /** Members that have something to write, and those whose writes are recorded as fresh. */
  readonly writtenAt: ReadonlySet<number>;
  readonly freshAt: ReadonlySet<number>;
};

/** Contested keys first: what is delivered afterwards gives way to what they were settled to. */
async function exchangeTable(round: BegunRound, looks: readonly Look[], table: number): Promise<Exchanged> {
  const { members, databases } = round;
  const origins = members.filter(({ index }) => looks.some(({ member, pending }) => member === index && pending.some(({ ordinal }) => ordinal === table)));
  const contested = origins.length > 1 ? await settleContested(round, table, origins) : { conflicts: 0, settled: 0, fresh: 0 };
  const fresh = isFresh({ isConflict: false }, databases.length);
  const rows = new Map<number, number>();
  for (const origin of origins) {
    const others = members.filter(({ index }) => index !== origin.index);
    rows.set(origin.index, await origin.deliver(table, others, fresh));
  }
  const receivers = members.filter(({ index }) => contested.settled > 0 || origins.some((origin) => origin.index !== index)).map(({ index }) => index);
  return {
    table,
    conflicts: contested.conflicts,
    rows,
    writtenAt: new Set(receivers),
    freshAt: new Set(fresh || contested.fresh > 0 ? receivers : []),
  };
}

function writtenAt({ members }: MasterRound, exchanged: readonly Exchanged[]): ReadonlyMap<number, readonly number[]> {
  return new Map(members.map(({ index }) => [index, exchanged.filter((each) => each.writtenAt.has(index)).map(({ table }) => table)]));
}

type Written = { readonly looks: readonly Look[]; readonly written: ReadonlyMap<number, readonly number[]>; readonly own: ReadonlyMap<number, bigint> };

/** A member that has nothing to write and nothing new to have seen keeps its watermarks as they are. */
function isToCommit({ member }: Look, { looks, written, own }: Written): boolean {
  const others = looks.filter((each) => each.member !== member);
  return (written.get(member) ?? []).length > 0 || others.some((each) => each.pending.length > 0 || own.has(each.member));
}

/** Each commit stands for itself: one that fails leaves that member as it was, and the next round goes on from there. */
async function commitAll(round: MasterRound, changing: ReadonlySet<number>): Promise<ReadonlyMap<number, unknown>> {
  const { members, failpoint } = round;
  await failpoint('masters.before-commit');
  const ending = members.map((member) => (changing.has(member.index) ? member.commit() : member.rollback()));
  const [ended] = await Promise.all([Promise.allSettled(ending), failpoint('masters.commit-sent')]);
  await failpoint('masters.after-commit');
  return new Map(members.flatMap(({ index }, place) => (ended[place]?.status === 'rejected' ? [[index, ended[place].reason]] : [])));
}

function memberOf({ members }: MasterRound, index: number): Member {
  const found = members.find((member) => member.index === index);
  if (found === undefined) throw new Error(`member ${index} takes no part`);
  return found;
}
