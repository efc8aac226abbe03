import type { ChangeName, Knowledge } from '../../../conflict/change-names.ts';
import { type ChangeJson, changesFrom } from '../../../conflict/change.ts';
import type { Version } from '../../../conflict/version.ts';
import { recordedFor } from '../../../plan/conflict-rule.ts';
import type { PlanMasterTable } from '../../../plan/plan.ts';
import { notAsSeen } from '../changed-tables/changed-tables.sql.ts';
import { refuseChanged } from '../changed-tables/read-too-late.ts';
import type { TextRows } from '../reading-rows.ts';
import { planFor } from '../joins.sql.ts';
import { closeContested, fetchContested, openContested, setSpan } from './masters.sql.ts';
import { allOf } from './all-of.ts';
import { FEW_ENTRIES, type Member, type MetKey, type RowText, type Span } from './member.ts';
import type { Statement } from '../../postgres/statement.ts';
import type { MemberState } from './member-state.ts';

/** Contested keys in memory at a time. */
const PAGE = 2_000;
/** Reported keys above this number are analyzed before they are compared. */
const ANALYZE_ABOVE = 20_000;

/** The plan's statements for a table. */
export function tableOf({ sync }: MemberState, ordinal: number): PlanMasterTable {
  const table = sync.tables[ordinal];
  if (table === undefined) throw new Error(`the plan has no table ${ordinal}`);
  return table;
}

/** Brings the reports of all members that hold changes of a table together here, and gives the keys that several of them name. */
export async function* meet(state: MemberState, ordinal: number, others: readonly Member[]): AsyncGenerator<readonly MetKey[]> {
  const peers = others.map(({ index }) => peerOf(state, index));
  const reported = [state, ...peers].reduce((sum, each) => sum + entriesOf(each, ordinal), 0);
  if (reported > FEW_ENTRIES) {
    yield* meetInTable(state, ordinal, { peers, reported });
    return;
  }
  const { report, contestedRows } = tableOf(state, ordinal).masters.meet;
  const reports = await Promise.all(
    peers.map((peer) => peer.session.batch([...fromHere(peer, ordinal), { name: `sarrio_masters_report_${ordinal}`, text: report }])),
  );
  const lines = JSON.stringify(reports.flatMap((answers) => answers.at(-1)?.lists ?? []));
  const answers = await state.session.batch([
    ...fromHere(state, ordinal),
    { name: `sarrio_masters_contested_${ordinal}`, text: contestedRows, values: [lines] },
  ]);
  const keys = contestedKeys(answers.at(-1)?.lists ?? [], tableOf(state, ordinal));
  if (keys.length > 0) yield await withRows(state, ordinal, keys);
}

type Meeting = { readonly peers: readonly MemberState[]; readonly reported: number };

async function* meetInTable(state: MemberState, ordinal: number, { peers, reported }: Meeting): AsyncGenerator<readonly MetKey[]> {
  const { session } = state;
  const { meet: statements } = tableOf(state, ordinal).masters;
  await session.query(statements.create);
  for (const peer of peers) await bringReport(peer, state, ordinal);
  const joins = reported + entriesOf(state, ordinal) > FEW_ENTRIES ? [{ text: planFor('many') }] : [];
  await session.batch([...joins, ...fromOf(state, ordinal), { text: statements.insertOwn }]);
  if (reported > ANALYZE_ABOVE) await session.query(statements.analyze);
  await session.query(openContested(statements.contested));
  yield* oneAhead(pagesWithRows(state, ordinal));
  await session.query(closeContested);
}

async function* pagesWithRows(state: MemberState, ordinal: number): AsyncGenerator<readonly MetKey[]> {
  for await (const keys of pages(state, tableOf(state, ordinal))) yield await withRows(state, ordinal, keys);
}

/** While a page is settled the next one is read. Nothing is under way any more when the reader has ended or gone. */
export async function* oneAhead<T>(source: AsyncGenerator<T>): AsyncGenerator<T> {
  const begin = (): Promise<IteratorResult<T>> => {
    const page = source.next();
    page.catch(() => undefined);
    return page;
  };
  let coming = begin();
  try {
    for (;;) {
      const page = await coming;
      if (page.done === true) return;
      coming = begin();
      yield page.value;
    }
  } finally {
    await Promise.allSettled([coming]);
  }
}

/** The rows of one key stay together: what is not complete waits for the next page. */
async function* pages({ session }: MemberState, table: PlanMasterTable): AsyncGenerator<readonly PendingKey[]> {
  let rest: TextRows = [];
  for (;;) {
    const [answer] = await session.batch([{ text: fetchContested(PAGE) }]);
    const lists = answer?.lists ?? [];
    const rows = [...rest, ...lists];
    const last = rows.at(-1)?.[0];
    const isEnd = lists.length < PAGE;
    const complete = isEnd ? rows : rows.filter(([number]) => number !== last);
    rest = rows.slice(complete.length);
    const keys = contestedKeys(complete, table);
    if (keys.length > 0) yield keys;
    if (isEnd) return;
  }
}

async function bringReport(from: MemberState, to: MemberState, ordinal: number): Promise<void> {
  const { report, copyReport, insert, load } = tableOf(from, ordinal).masters.meet;
  if (entriesOf(from, ordinal) > FEW_ENTRIES) {
    await from.session.batch([{ text: planFor('many') }]);
    await from.copyTo(to, { before: fromOf(from, ordinal), from: copyReport, into: load });
    return;
  }
  const answers = await from.session.batch([...fromOf(from, ordinal), { text: report }]);
  await to.session.query(insert, [JSON.stringify(answers.at(-1)?.lists ?? [])]);
}

/** What all others have seen: nothing older is read. Goes before whatever reads, in the same batch: several may be reading at a time. */
export function fromOf(state: MemberState, ordinal: number): readonly Statement[] {
  state.hasReadElsewhere ||= state.tables.has(ordinal);
  return [setSpan(spanOf(state, ordinal))];
}

/** The same within a round: the snapshot has set it, and until somebody reads from elsewhere that counts. */
export function fromHere(state: MemberState, ordinal: number): readonly Statement[] {
  return state.hasReadElsewhere || state.tables.has(ordinal) ? fromOf(state, ordinal) : [];
}

/** A table that has not moved with the watermarks is read from where it stands. */
export function spanOf({ from, seenBy, knownBy, tables }: MemberState, ordinal: number): Span {
  if (from === null) throw new Error('no round has begun');
  return tables.get(ordinal) ?? { from, seenBy, knownBy };
}

/** What this member itself has seen of a table's changes. */
export function knownOf(state: MemberState, ordinal: number): readonly Knowledge[] {
  return spanOf(state, ordinal).knownBy.get(state.index) ?? [];
}

export function entriesOf({ entries }: MemberState, ordinal: number): number {
  return entries.get(ordinal) ?? 0;
}

/** A contested key before anybody has looked at its rows. */
type PendingKey = { readonly key: readonly string[]; readonly versions: readonly PendingVersion[] };

type PendingVersion = Omit<Version, 'op' | 'image'> & { readonly isInsert: boolean };

function contestedKeys(rows: TextRows, { rule }: PlanMasterTable): readonly PendingKey[] {
  const counters = recordedFor(rule)?.counters ?? [];
  const keys = new Map<string, { key: readonly string[]; versions: PendingVersion[] }>();
  for (const [number = '', member, pendingAt, at, op, key, names, changes] of rows) {
    const found = keys.get(number ?? '') ?? { key: JSON.parse(key ?? '[]') as readonly string[], versions: [] };
    keys.set(number ?? '', found);
    const made = changes === undefined ? {} : { changes: changesFrom(JSON.parse(changes ?? '[]') as readonly (readonly ChangeJson[])[], counters) };
    found.versions.push({
      member: Number(member),
      pendingAt: Number(pendingAt),
      at: BigInt(at ?? '0'),
      isInsert: op === 'I',
      names: JSON.parse(names ?? 'null') as readonly ChangeName[] | null,
      ...made,
    });
  }
  return [...keys.values()];
}

/** Everybody who has a version is asked for its row, all at once. */
async function withRows(state: MemberState, ordinal: number, keys: readonly PendingKey[]): Promise<readonly MetKey[]> {
  const members = [...new Set(keys.flatMap(({ versions }) => versions.map(({ member }) => member)))];
  const found = await allOf(members.map((member) => rowsAt(peerOf(state, member), ordinal, keys)));
  const rows = new Map(members.map((member, place) => [member, found[place] ?? new Map<PendingKey, Held>()]));
  const heldOf = (key: PendingKey, member: number): Held => {
    const held = rows.get(member)?.get(key);
    if (held === undefined) throw new Error(`member ${member} did not say what it holds`);
    return held;
  };
  return keys.map((key) => ({
    key: key.key,
    versions: key.versions.map(({ isInsert, ...version }): Version => {
      const held = heldOf(key, version.member);
      const first = key.versions.find(({ member }) => isSame(heldOf(key, member), held))?.member ?? version.member;
      const { isPresent } = held.row;
      return { ...version, op: isPresent ? (isInsert ? 'insert' : 'update') : 'delete', image: isPresent ? `as at ${first}` : '' };
    }),
    rowOf: (member) => heldOf(key, member).row,
  }));
}

/** A row, and what it is compared by where that is not its text. */
type Held = { readonly row: RowText; readonly hashes: string | null };

function isSame(one: Held, other: Held): boolean {
  if (one.row.isPresent !== other.row.isPresent) return false;
  return one.hashes === null ? one.row.values.every((value, place) => value === other.row.values[place]) : one.hashes === other.hashes;
}

async function rowsAt(state: MemberState, ordinal: number, keys: readonly PendingKey[]): Promise<ReadonlyMap<PendingKey, Held>> {
  const wanted = keys.filter(({ versions }) => versions.some(({ member }) => member === state.index));
  const held = await heldRows(
    state,
    ordinal,
    wanted.map(({ key }) => key),
  );
  return new Map(wanted.flatMap((key, place) => (held[place] ? [[key, held[place]]] : [])));
}

/** In the order of the keys. */
export async function rowsOfKeys(state: MemberState, ordinal: number, keys: readonly (readonly string[])[]): Promise<readonly RowText[]> {
  return (await heldRows(state, ordinal, keys)).map(({ row }) => row);
}

async function heldRows(state: MemberState, ordinal: number, keys: readonly (readonly string[])[]): Promise<readonly Held[]> {
  const { masters, columns } = tableOf(state, ordinal);
  const statement = { name: `sarrio_masters_keys_${ordinal}`, text: masters.rowsOfKeys, values: [JSON.stringify(keys)] };
  const [answer, altered] = await state.session.batch([statement, asSeen(state, [ordinal])]);
  refuseChanged(state.name, altered);
  const rows = answer?.lists ?? [];
  if (rows.length !== keys.length) throw new Error(`asked ${state.name} for ${keys.length} rows and got ${rows.length}`);
  return rows.map(([present, ...found]) => {
    return { row: { isPresent: present === 't', values: found.slice(0, columns.length) }, hashes: found[columns.length] ?? null };
  });
}

/** In the order of the keys, by member. */
export async function beforesOfKeys(
  state: MemberState,
  ordinal: number,
  keys: readonly (readonly string[])[],
): Promise<readonly (readonly (string | null)[])[]> {
  const { common } = tableOf(state, ordinal).masters;
  if (common === undefined) throw new Error(`nobody asks for old rows of table ${ordinal}`);
  const statement = { name: `sarrio_masters_befores_${ordinal}`, text: common.befores, values: [JSON.stringify(keys)] };
  const answers = await state.session.batch([...fromOf(state, ordinal), statement]);
  return (answers.at(-1)?.lists ?? []).map(([befores]) => JSON.parse(befores ?? '[]') as readonly (string | null)[]);
}

/**
 * Comes after whatever reads or writes tables of users', in the same transaction, and its answer goes to `refuseChanged`: the locks that were
 * taken by then let nobody rewrite, empty or rename the tables any more.
 */
export function asSeen(state: MemberState, ordinals: readonly number[]): Statement {
  return notAsSeen(ordinals.map((ordinal) => tableOf(state, ordinal).source));
}

export function peerOf({ peers }: MemberState, index: number): MemberState {
  const peer = peers.get(index);
  if (peer === undefined) throw new Error(`member ${index} is not connected`);
  return peer;
}
