import { isFresh } from '../../../conflict/bookkeeping.ts';
import { clockSkew } from '../../../conflict/clock-skew.ts';
import { allOf, bothOf } from './all-of.ts';
import { isNews, marksAfter, type Moved, spansOf } from './known-marks.ts';
import { type Delivered, FEW_ENTRIES, type Look, type Member } from './member.ts';
import { TablesUnfit } from './member-shapes.ts';
import { settleClashes } from './settle-clashes.ts';
import { decideContested, settleContested } from './settle-contested.ts';
import { confirmRulings, settleRulings, tablesRuled } from './settle-rulings.ts';
import type { MasterRound, BegunRound, Contested } from './begun-round.ts';

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
      /** Stopped tables of which something new was pending. */
      readonly waiting: ReadonlySet<number>;
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
 * - A table that is not what the plan was compiled for in the snapshot of one of them takes no part. Tables with changes are looked at before
 *   anything is read, those that have been written to before anybody commits.
 * - What a member reads and writes of users' tables is what its snapshot shows: it is asked after each reading, and after the last write.
 * - What was ruled about single rows is carried out in a round whose snapshots hold what the handler was shown, all of it or nothing.
 * - A stopped table's held position does not move: the transaction that moves a watermark past its changes writes down where the table is.
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
    if (isNews(round.known, looks)) return await leave(round, { kind: 'again' });
    if (looks.some(({ unfit }) => [...unfit].some((table) => !round.stopped.has(table)))) throw new TablesUnfit();
    if (looks.every(({ pending, noted }) => pending.length === 0 && noted === null)) return await leave(round, { kind: 'nothing' });
    return await exchange({ ...round, skewMicros, nowMicros: latestOf(looks) }, looks);
  } catch (error) {
    await Promise.allSettled(members.map((member) => member.rollback()));
    throw error;
  }
}

function latestOf(looks: readonly Look[]): bigint {
  let latest = 0n;
  for (const { clockMicros } of looks) if (clockMicros > latest) latest = clockMicros;
  return latest;
}

async function leave(round: MasterRound, result: MasterRoundResult): Promise<MasterRoundResult> {
  await Promise.all(round.members.map((member) => member.rollback()));
  return result;
}

function lookOptions(round: MasterRound, member: Member): Parameters<Member['look']>[0] {
  const { lock, keep, stopped } = round;
  const taking = (tables: readonly number[]): readonly number[] => tables.filter((table) => !stopped.has(table));
  return { ...spansOf(round, member), lock: taking(lock), keep: taking(keep) };
}

async function exchange(round: Omit<BegunRound, 'xids' | 'ruled'>, looks: readonly Look[]): Promise<MasterRoundResult> {
  const { members, failpoint, touched, stopped } = round;
  const found = looks.flatMap(({ pending }) => pending.map(({ ordinal }) => ordinal));
  for (const ordinal of found) if (!stopped.has(ordinal)) touched.add(ordinal);
  await failpoint('masters.before-hold');
  const xids = new Map<number, bigint>();
  const holding = allOf(members.map(async (member) => void xids.set(member.index, await member.hold())));
  // What is read need not wait for the answer, and travels with the question; an error of the fence counts before those that come of it.
  const [, exchanged] = await bothOf(holding, exchangeAll({ ...round, xids }, looks, holding));
  const written = writtenAt(round, exchanged);
  const own = new Map([...xids].filter(([index]) => exchanged.some(({ freshAt }) => freshAt.has(index))));
  await failpoint('masters.before-apply');
  const moves = looks.map((look) => ({ look, moved: marksAfter(look, { looks, own, stopped }) }));
  const changing = moves.filter(({ look }) => isToCommit(look, { looks, written, own }));
  await allOf(changing.map(({ look, moved }) => memberOf(round, look.member).apply(written.get(look.member) ?? [], moved)));
  await failpoint('masters.before-durable');
  await allOf(members.map((member) => member.durable()));
  const failed = await commitAll(round, new Set(changing.map(({ look }) => look.member)));
  for (const { look, moved } of changing) if (!failed.has(look.member)) know(round, look, moved);
  if (found.length === 0 && failed.size === 0) return { kind: 'nothing' };
  return { ...summaryOf(round, looks, exchanged), waiting: new Set(found.filter((ordinal) => stopped.has(ordinal))), failed };
}

/** What was ruled takes up the transactions' ids. */
async function exchangeAll(round: Omit<BegunRound, 'ruled'>, looks: readonly Look[], holding: Promise<unknown>): Promise<readonly Exchanged[]> {
  const { touched, failpoint } = round;
  if (round.rulings.all().length > 0) await holding;
  const ruled = await confirmRulings(round);
  for (const ordinal of tablesRuled(ruled)) touched.add(ordinal);
  await failpoint('masters.before-exchange');
  const exchanged: Exchanged[] = [];
  for (const table of [...touched].sort((a, b) => a - b)) exchanged.push(await exchangeTable({ ...round, ruled }, looks, table));
  return exchanged;
}

function know({ known }: MasterRound, { member, copiedXid }: Look, { watermarks, held }: Moved): void {
  known.set(member, { watermarks, held, copiedXid, noted: null });
}

function summaryOf({ members, stopped }: MasterRound, looks: readonly Look[], exchanged: readonly Exchanged[]) {
  const count = ({ pending }: Look): number => pending.reduce((sum, { ordinal, entries }) => sum + (stopped.has(ordinal) ? 0 : entries), 0);
  return {
    kind: 'applied',
    entries: new Map(looks.map((look) => [look.member, count(look)])),
    rows: new Map(members.map(({ index }) => [index, exchanged.reduce((sum, each) => sum + (each.rows.get(index) ?? 0), 0)])),
    tables: exchanged.length,
    conflicts: exchanged.reduce((sum, { conflicts }) => sum + conflicts, 0),
  } as const;
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

async function exchangeTable(round: BegunRound, looks: readonly Look[], table: number): Promise<Exchanged> {
  const { members } = round;
  const entries = new Map(looks.flatMap(({ member, pending }) => pending.filter(({ ordinal }) => ordinal === table).map((each) => [member, each.entries])));
  const origins = members.filter(({ index }) => entries.has(index));
  const isFew = [...entries.values()].every((count) => count <= FEW_ENTRIES);
  const brought = (isFew ? null : await decideContested(round, table, origins)) ?? (await meetAndDeliver(round, table, { origins, isFew }));
  const later = [await settleClashes(round, table, origins), await settleRulings(round, table)];
  const settled = sumOf([brought, ...later]);
  const receivers = members.filter(({ index }) => settled.settled > 0 || origins.some((origin) => origin.index !== index)).map(({ index }) => index);
  return {
    table,
    conflicts: settled.conflicts,
    rows: brought.rows,
    writtenAt: new Set(receivers),
    freshAt: new Set(isRelaying(round) || settled.fresh > 0 ? receivers : []),
  };
}

function isRelaying({ databases }: MasterRound): boolean {
  return isFresh({ isConflict: false }, databases.length);
}

type Brought = Contested & Pick<Exchanged, 'rows'>;

/**
 * What is delivered gives way to what contested keys were settled to, whichever is set aside first. With many changes it counts that no row is
 * brought which was settled; with few, how often somebody waits for an answer: where texts tell that no key came from two, none has to be met.
 */
async function meetAndDeliver(round: BegunRound, table: number, { origins, isFew }: { origins: readonly Member[]; isFew: boolean }): Promise<Brought> {
  const fresh = isRelaying(round);
  const settle = async (): Promise<Contested> => (origins.length > 1 ? settleContested(round, table, origins) : NOTHING);
  const deliver = (): Promise<readonly Delivered[]> => allOf(origins.map((origin) => origin.deliver(table, othersOf(round, origin), fresh)));
  if (!isFew) return brought(origins, await settle(), await deliver());
  if (!origins.every((origin) => origin.tellsKeys(table))) return brought(origins, ...(await bothOf(settle(), deliver())));
  const delivered = await deliver();
  return brought(origins, haveMet(delivered) ? await settle() : NOTHING, delivered);
}

function brought(origins: readonly Member[], contested: Contested, delivered: readonly Delivered[]): Brought {
  return { ...contested, rows: new Map(origins.map(({ index }, place) => [index, delivered[place]?.rows ?? 0])) };
}

/** Whether a key came from two, as far as anybody can say: each gives every key once. */
function haveMet(delivered: readonly Delivered[]): boolean {
  const keys = delivered.flatMap((each) => each.keys ?? []);
  return delivered.some((each) => each.keys === null) || new Set(keys).size < keys.length;
}

const NOTHING: Contested = { conflicts: 0, settled: 0, fresh: 0 };

function othersOf({ members }: MasterRound, { index }: Member): readonly Member[] {
  return members.filter((member) => member.index !== index);
}

function sumOf(parts: readonly Contested[]): Contested {
  const sum = (of: keyof Contested): number => parts.reduce((all, part) => all + part[of], 0);
  return { conflicts: sum('conflicts'), settled: sum('settled'), fresh: sum('fresh') };
}

function writtenAt({ members }: MasterRound, exchanged: readonly Exchanged[]): ReadonlyMap<number, readonly number[]> {
  return new Map(members.map(({ index }) => [index, exchanged.filter((each) => each.writtenAt.has(index)).map(({ table }) => table)]));
}

type Written = { readonly looks: readonly Look[]; readonly written: ReadonlyMap<number, readonly number[]>; readonly own: ReadonlyMap<number, bigint> };

/** A member that has nothing to write and nothing new to have seen keeps its watermarks as they are; one whose note is behind brings it up. */
function isToCommit({ member, noted }: Look, { looks, written, own }: Written): boolean {
  const others = looks.filter((each) => each.member !== member);
  return noted !== null || (written.get(member) ?? []).length > 0 || others.some((each) => each.pending.length > 0 || own.has(each.member));
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
